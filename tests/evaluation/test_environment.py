import os
import subprocess

import torch

from purifold.evaluation.environment import commit, environment


def test_environment_names_versions_and_cores():
    found = environment()
    assert found["torch"] == torch.__version__
    assert found["cores"] == os.cpu_count()
    assert found["purifold"] == "0.1.0"
    assert found["cpu"]


def test_commit_is_that_of_the_folders_own_files(tmp_path):
    def git(*command):
        settings = ["-c", "user.name=t", "-c", "user.email=t@t"]
        done = subprocess.run(
            ["git", "-C", tmp_path, *settings, *command], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    package, installed = tmp_path / "package", tmp_path / "venv"
    for folder in (package, installed):
        folder.mkdir()
        (folder / "a.py").write_text("1")
    assert commit(package) is None
    git("init", "-q")
    git("add", "package")
    git("commit", "-q", "-m", "x")
    assert commit(package) == git("rev-parse", "HEAD")
    assert commit(installed) is None  # lies inside the checkout, is no part of it
    (package / "a.py").write_text("2")
    assert commit(package) == git("rev-parse", "HEAD") + "+"
