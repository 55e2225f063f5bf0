"""The one-file program: ``make zipapp``.

build      fetches wheels, writes the file and the lists of what is in it
assemble   wheels to bytes, the same each time
bootstrap  what the file does first when it is started
"""
