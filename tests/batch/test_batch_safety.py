"""A crafted file can't make videoscore read or fetch another one."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from media import make_clip, sound, write_wav

from videoscore.errors import ContainerError, InputError, NotAVideo
from videoscore.perform.mux.mux import mux
from videoscore.pipeline.own_music import _stem
from videoscore.video.container import open_media
from videoscore.video.probe import probe

LISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{target}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{target}'\n",
    "dash": "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011' type='static' "
    "mediaPresentationDuration='PT2S'><Period><AdaptationSet mimeType='video/mp4'><Representation id='0' "
    "bandwidth='1'><BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>",
}


@pytest.fixture
def server():
    """A web server's address, and what was asked of it."""
    asked: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                peer, _ = listening.accept()
            except OSError:
                return
            with peer:
                asked.append(peer.recv(1000))

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/secret.ts", asked
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("local", [True, False])
def test_a_list_is_refused_and_what_it_names_is_never_read(tmp_path, kind, local, server):
    address, asked = server
    secret = make_clip(tmp_path / "secret.ts", seconds=1, audio="tone").path
    film = make_clip(tmp_path / "film.mp4", seconds=1).path
    media = probe(film)
    text = LISTS[kind].format(target=secret.name if local else address)
    film.write_text(text)  # probed as a film, and a list when it is copied
    with pytest.raises(NotAVideo, match="playlist"):
        open_media(film)
    music = write_wav(tmp_path / "music.wav", sound("tone", 1))
    with pytest.raises((ContainerError, NotAVideo)):
        mux(media, music, tmp_path / "out.mkv")
    with pytest.raises(InputError):
        _stem(film, tmp_path / "stem.wav", media.duration)
    assert not (tmp_path / "out.mkv").exists()
    assert not [p for p in tmp_path.iterdir() if ".part" in p.name]
    assert asked == []


@pytest.mark.parametrize("kind", LISTS)
def test_the_copying_command_alone_refuses_it_too(tmp_path, kind):
    """Without the probe before it: what holds when the file changes in between."""
    import subprocess

    from videoscore.perform.mux.containers import Track, container_for
    from videoscore.perform.mux.remux import NewTrack, command, trial

    secret = make_clip(tmp_path / "secret.ts", seconds=1, audio="tone").path
    film = make_clip(tmp_path / "film.mp4", seconds=1).path
    media, track, mkv = probe(film), Track(0, "video", "h264"), container_for(Path("out.mkv"))
    film.write_text(LISTS[kind].format(target=secret.name))
    music = write_wav(tmp_path / "music.wav", sound("tone", 1))
    whole = [*command(media, music, [track], [], mkv, NewTrack("t")), f"file:{tmp_path / 'out.mkv'}"]
    for arguments in (whole, trial(film, track, mkv)):
        done = subprocess.run(arguments, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode != 0
    assert not (tmp_path / "out.mkv").exists()
