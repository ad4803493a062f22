"""
Converter: files that WhatsApp would refuse → files that it takes.

`plan` decides; `pictures` (Pillow) and `streams` (PyAV) convert, in a process of their own
(`__main__`, with limits of time and memory) that `converter` starts.
"""
