"""A viewer of one low-latency playlist, who notes when each part is there."""

import datetime
import re
import threading
import time
import urllib.error
import urllib.request


class Playlist(threading.Thread):
    """Asks for each part of a playlist before it is there, and notes when it is."""

    def __init__(self, server, path, until):
        super().__init__(daemon=True)
        self.base = f"http://127.0.0.1:{server.http_port}/live/"
        self.path, self.until = path, until
        # When each part was there, by segment and number; and how old its newest frame was then, in milliseconds.
        self.seen, self.ages = {}, []

    def run(self):
        query = ""
        while time.monotonic() < self.until:
            try:
                with urllib.request.urlopen(self.base + self.path + query, timeout=10) as answer:
                    text = answer.read().decode()
            except urllib.error.HTTPError:
                time.sleep(0.05)
                continue
            now = time.monotonic()
            first = int(re.search(r"MEDIA-SEQUENCE:(\d+)", text).group(1))
            whole = first + len(re.findall(r"^#EXTINF", text, re.M))
            parts = text.rsplit("#EXTINF", 1)[-1].count("#EXT-X-PART:")
            # What was there before anybody asked says nothing.
            if query:
                self.seen.setdefault((whole, parts), now)
                self.ages.append(age(text, time.time()))
            query = f"?_HLS_msn={whole}&_HLS_part={parts}"


# The clip's frames.
FRAME = 1 / 30


def age(text, now):
    """Milliseconds since the newest frame of a playlist came to the server: a frame before the end of the newest part."""
    begin, parts = text.rsplit("#EXT-X-PROGRAM-DATE-TIME:", 1)[1].split("\n", 1)
    begin = datetime.datetime.fromisoformat(begin.replace("Z", "+00:00")).timestamp()
    length = sum(float(part) for part in re.findall(r"#EXT-X-PART:DURATION=([\d.]+)", parts))
    return 1e3 * (now - begin - (length - FRAME))


def watch(server, paths, seconds):
    """Watches playlists at the same time; what each has seen, in their order."""
    until = time.monotonic() + seconds
    threads = [Playlist(server, path, until) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 15)
    return threads
