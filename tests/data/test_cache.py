import pytest
import torch

from purifold.data.cache import digest, kept

PIXELS = torch.arange(24, dtype=torch.uint8).view(2, 1, 3, 4)


@pytest.fixture
def make():
    """Returns the pixels and counts how often it was asked."""

    def made():
        made.calls += 1
        return PIXELS.clone()

    made.calls = 0
    return made


def test_what_is_kept_is_not_made_again(make):
    for _ in range(2):
        torch.testing.assert_close(kept("key", make), PIXELS, rtol=0, atol=0)
    assert make.calls == 1
    kept("another", make)
    assert make.calls == 2


def test_a_digest_tells_contents_order_and_borders_apart():
    files = ([b"ab", b"c"], [b"a", b"bc"], [b"c", b"ab"], [b"abc"], [b"ab", b"d"])
    found = [digest(contents) for contents in files]
    assert len(set(found)) == len(found)
    assert digest([b"ab", b"c"]) == found[0]


@pytest.mark.parametrize("content", [b"", b"no tensors", None])
def test_a_damaged_entry_is_made_again(make, cache, content):
    kept("key", make)
    path = cache / "key.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]) if content is None else content)
    torch.testing.assert_close(kept("key", make), PIXELS, rtol=0, atol=0)
    assert make.calls == 2
    assert path.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_done_without(make, cache):
    cache.write_bytes(b"a file where the folder should be")
    for _ in range(2):
        torch.testing.assert_close(kept("key", make), PIXELS, rtol=0, atol=0)
    assert make.calls == 2
