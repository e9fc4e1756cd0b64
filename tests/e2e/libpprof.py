# SPDX-License-Identifier: BSD-2-Clause
"""Reads pprof files, as far as tests want: a profile's locations with their lines.

Written from the format's description and knows nothing of wick, which writes
them with protobuf-c.
"""
import collections
import gzip

# Of a location: the file of its mapping, the address, and its lines, innermost first.
Location = collections.namedtuple("Location", "file address lines")
# Of a line: the function's name as shown and as in the object file, the source file and line.
Line = collections.namedtuple("Line", "name system_name file number")


def fields(data):
    """The fields of a protobuf message: number, and an int or bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            size = varint()
            yield key >> 3, data[at:at + size]
            at += size


def read_locations(path):
    """All locations of the profile at @path."""
    strings, mappings, functions, locations = [], {}, {}, []
    with gzip.open(path) as file:
        profile = file.read()
    for number, value in fields(profile):
        if number == 6:
            strings.append(value.decode())
        elif number == 3:
            message = dict(fields(value))
            mappings[message[1]] = message.get(5, 0)
        elif number == 4:
            locations.append(value)
        elif number == 5:
            message = dict(fields(value))
            functions[message[1]] = [message.get(i, 0) for i in (2, 3, 4)]

    def line(value):
        message = dict(fields(value))
        return Line(*(strings[i] for i in functions[message[1]]), message.get(2, 0))

    def location(value):
        message = dict(fields(value))
        return Location(strings[mappings.get(message.get(2, 0), 0)], message.get(3, 0),
                        [line(v) for n, v in fields(value) if n == 4])

    return [location(value) for value in locations]
