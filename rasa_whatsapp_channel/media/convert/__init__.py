"""
Files that WhatsApp would refuse → files that it takes.

`plan` decides, `image`, `sticker`, `audio` and `video` do, each with Pillow or PyAV, inside of a
process of their own (`__main__`, with limits of time and memory) that `converter` starts.
"""
