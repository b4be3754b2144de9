"""Speech for the bench, and scores of what it gives back."""

import numpy as np
import pesq
from scipy.io import wavfile
from scipy.signal import correlate, resample_poly

NARROW, WIDE = 8000, 16000
LEAD = 0.6  # seconds of silence before and after each talker
LONGEST = 0.5  # the longest delay that is looked for, in seconds
WINDOW = 0.2  # seconds of speech in which it is looked for


class Speech:
    """All talkers one after the other, as files for the bench and as references for the scores."""

    def __init__(self, talkers):
        self.spans = []  # (begin, end) in seconds, and whether it is wideband
        pieces, at = [], 0.0
        for file in talkers:
            rate, samples = wavfile.read(file)
            quiet = np.zeros(int(LEAD * WIDE))
            wide = resample_poly(samples.astype(float), WIDE // rate, 1)
            piece = np.concatenate([quiet, wide, quiet])
            self.spans.append((at, at + len(piece) / WIDE, rate == WIDE))
            at += len(piece) / WIDE
            pieces.append(piece)
        whole = np.concatenate(pieces)
        whole = whole[: len(whole) // 320 * 320]
        self.references = {WIDE: clipped(whole), NARROW: clipped(resample_poly(whole, 1, 2))}

    def write(self, folder):
        for rate, samples in self.references.items():
            wavfile.write(folder / f"speech-{rate}.wav", rate, samples)


def clipped(samples):
    return np.clip(np.round(samples), -32768, 32767).astype(np.int16)


def score(speech, file):
    """MOS-LQO (P.862.1, or P.862.2 for wideband) as the mean of the talkers, and the median delay in ms."""
    rate, heard = wavfile.read(file)
    reference = speech.references[rate]
    # A recording begins long before its speech.
    early = max(0, int(np.argmax(correlate(heard.astype(float), reference.astype(float), "full"))) - len(reference) - rate // 4)
    heard = heard[early:]
    delays = lags(reference, heard, rate)
    lag = int(np.median(delays) * rate) if len(delays) else 0
    heard = np.concatenate([heard, np.zeros(max(0, len(reference) + lag - len(heard)), np.int16)])
    mode = "wb" if rate == WIDE else "nb"
    scores = []
    for begin, end, is_wide in speech.spans:
        if rate == WIDE and not is_wide:
            continue
        begin, end = int(begin * rate), int(end * rate)
        scores.append(pesq.pesq(rate, reference[begin:end], heard[begin + lag : end + lag], mode))
    return float(np.mean(scores)), 1000.0 * (early + lag) / rate


def lags(reference, heard, rate):
    """How much later each piece of speech is heard than it was said."""
    size, most = int(WINDOW * rate), int(LONGEST * rate)
    loud = np.sqrt(np.mean(reference.astype(float) ** 2)) / 2
    found = []
    for begin in range(0, min(len(reference), len(heard) - most) - size, size):
        piece = reference[begin : begin + size].astype(float)
        if np.sqrt(np.mean(piece**2)) < loud:
            continue
        around = heard[begin : begin + size + most].astype(float)
        likeness = correlate(around, piece, "valid")
        energy = np.convolve(around**2, np.ones(size), "valid")
        likeness /= np.sqrt(energy * np.sum(piece**2)) + 1.0
        best = int(np.argmax(likeness))
        if likeness[best] > 0.8:
            found.append(best / rate)
    return np.array(found)
