# SPDX-License-Identifier: BSD-2-Clause
"""Reads pprof files, as far as tests want: a profile's locations with their lines, and its samples.

Written from the format's description and knows nothing of wick, which writes
them with protobuf-c.
"""
import collections
import gzip

# Of a location: the file of its mapping, the address, and its lines, innermost first.
Location = collections.namedtuple("Location", "file address lines")
# A sample: the names of its functions, leaf first; its values by type; labels, texts and numbers.
Sample = collections.namedtuple("Sample", "functions values labels")
# Of a line: the function's name as shown and as in the object file, the source file and line.
Line = collections.namedtuple("Line", "name system_name file number")


def varint(data, at):
    """The number at @at, and what is behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """The fields of a protobuf message: number, and an int or bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7:
            value, at = data[at:at + value], at + value
        yield key >> 3, value


def unpacked(value):
    """The numbers in one field of a repeated one, which may be packed."""
    if isinstance(value, int):
        yield value
        return
    at = 0
    while at < len(value):
        number, at = varint(value, at)
        yield number


def numbers(message, field):
    return [one for number, value in fields(message) if number == field for one in unpacked(value)]


class Profile:
    """What is in @data, the bytes of a pprof file: locations by id, values, samples, comments."""

    def __init__(self, data):
        self._parts = collections.defaultdict(list)
        for number, value in fields(gzip.decompress(data)):
            self._parts[number].append(value)
        self._strings = [value.decode() for value in self._parts[6]]
        self._mappings = {message[1]: message.get(5, 0)
                          for message in map(dict, map(fields, self._parts[3]))}
        self._functions = {message[1]: [self._strings[message.get(i, 0)] for i in (2, 3, 4)]
                           for message in map(dict, map(fields, self._parts[5]))}
        self.locations = {dict(fields(value))[1]: self._location(value)
                          for value in self._parts[4]}
        self.types = [self._strings[dict(fields(value))[1]] for value in self._parts[1]]
        self.samples = [self._sample(value) for value in self._parts[2]]
        self.comments = [self._strings[i] for value in self._parts[13] for i in unpacked(value)]

    def _line(self, value):
        message = dict(fields(value))
        return Line(*self._functions[message[1]], message.get(2, 0))

    def _location(self, value):
        message = dict(fields(value))
        return Location(self._strings[self._mappings.get(message.get(2, 0), 0)],
                        message.get(3, 0),
                        [self._line(v) for n, v in fields(value) if n == 4])

    def _label(self, value):
        message = dict(fields(value))
        text = message.get(2)
        return (self._strings[message[1]],
                message.get(3, 0) if text is None else self._strings[text])

    def _sample(self, value):
        return Sample([line.name for i in numbers(value, 1) for line in self.locations[i].lines],
                      dict(zip(self.types, numbers(value, 2))),
                      dict(self._label(v) for n, v in fields(value) if n == 3))


def read_locations(path):
    """All locations of the profile at @path."""
    with open(path, "rb") as file:
        return list(Profile(file.read()).locations.values())
