"""A small process that runs espeak-ng behind pipes, with one fork for each utterance. Standard library only.

espeak-ng keeps state between utterances (prosody, its noise source, filter memories), so the same text sounds slightly
different the second time. Here the library is loaded and initialised once and never speaks in that process: each
request is answered by a fresh fork of it. So an utterance depends on its own text, voice and settings only.

    python _espeak.py LIBRARY DATA_FOLDER

Request, one line of JSON: {"text", "voice", "rate", "pitch", "range"}. Answer: int32 status (0: good), uint32 bytes,
then int16 samples. Before the first request: int32 sampling rate, 0 when the library could not be set up.
API: espeak-ng `speak_lib.h`. espeak-ng is GPL-3.0-or-later; it runs in this separate process and none of it is copied.
"""

from __future__ import annotations

import ctypes
import json
import os
import struct
import sys

SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: samples go to the callback, no thread is started
DONT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT
RATE, PITCH, RANGE = 1, 3, 4  # espeak_PARAMETER: words a minute, 0..100, 0..100
CHARACTER, UTF8 = 1, 1  # POS_CHARACTER, espeakCHARS_UTF8
ANSWER = struct.Struct("<iI")
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def load(library: str, data: str) -> tuple[ctypes.CDLL | None, int]:
    """The initialised library and its sampling rate; 0 when it could not be initialised."""
    try:
        lib = ctypes.CDLL(library)
    except OSError as error:
        print(error, file=sys.stderr)
        return None, 0
    # espeak-ng holds at most 160 characters of its data's path, so it is given "." from inside.
    os.chdir(os.path.dirname(data))
    lib.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    lib.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
    lib.espeak_SetSynthCallback.argtypes = [CALLBACK]
    lib.espeak_Synth.argtypes = [
        ctypes.c_char_p,  # text
        ctypes.c_size_t,  # its bytes, the final zero included
        ctypes.c_uint,  # start position
        ctypes.c_int,  # unit of positions
        ctypes.c_uint,  # end position, 0: none
        ctypes.c_uint,  # flags
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    return lib, max(lib.espeak_Initialize(SYNCHRONOUS, 0, b".", DONT_EXIT), 0)


def speak(lib: ctypes.CDLL, request: dict) -> tuple[int, bytes]:
    """(status, int16 samples); once in the life of a process."""
    pieces: list[bytes] = []

    def collect(samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int | None) -> int:
        if samples and count > 0:
            pieces.append(ctypes.string_at(samples, 2 * count))
        return 0

    callback = CALLBACK(collect)
    lib.espeak_SetSynthCallback(callback)
    status = lib.espeak_SetVoiceByName(request["voice"].encode())
    for parameter, name in ((RATE, "rate"), (PITCH, "pitch"), (RANGE, "range")):
        status = status or lib.espeak_SetParameter(parameter, int(request[name]), 0)
    text = request["text"].encode()
    status = status or lib.espeak_Synth(text, len(text) + 1, 0, CHARACTER, 0, UTF8, None, None)
    return status, b"".join(pieces)


def serve(library: str, data: str) -> None:
    # Whatever a library prints must not get among the samples: answers have a descriptor of their own.
    answers = os.dup(1)
    os.dup2(2, 1)
    lib, rate = load(library, data)
    _write(answers, struct.pack("<i", rate))
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                assert lib is not None  # nobody asks where the rate is 0
                status, pcm = speak(lib, json.loads(line))
                _write(answers, ANSWER.pack(status, len(pcm)) + pcm)
            finally:
                os._exit(0)
        _, ended = os.waitpid(child, 0)
        if os.WIFSIGNALED(ended):
            _write(answers, ANSWER.pack(-os.WTERMSIG(ended), 0))


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


if __name__ == "__main__":
    serve(*sys.argv[1:])
