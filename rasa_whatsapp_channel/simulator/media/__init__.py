"""
Files.

    kinds         which type and size goes as what
    contents      what may be inside
    library       where they are kept
    links         what links lead to
"""
