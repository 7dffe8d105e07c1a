"""A PostgreSQL server of the tests' own, in a folder of its own, which a test may stop and start."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

USER = "postgres"  # as which it runs where the tests run as root, which it refuses


def find_programs() -> Path | None:
    """Return the folder with initdb and pg_ctl; None if there is none."""
    folders = [Path(found).resolve().parent] if (found := shutil.which("initdb")) else []
    if config := shutil.which("pg_config"):
        folders.append(Path(subprocess.check_output([config, "--bindir"], text=True).strip()))
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


class PostgreSQL:
    """A server on a free port of 127.0.0.1, with the user `convtext` of the password `se/cr@t`."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        folder.chmod(0o711)
        if os.geteuid() == 0:
            shutil.chown(folder, USER)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        password = folder / "password"
        password.write_text("se/cr@t\n")
        password.chmod(0o644)
        self._run(
            "initdb", "--auth=scram-sha-256", "--username=convtext", f"--pwfile={password}", "--no-sync"
        )
        self.start()

    def address(self, database: str, password: str = "se%2Fcr%40t") -> str:
        return f"postgresql://convtext:{password}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """Create a database and return its address."""
        arguments = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "convtext", database]
        environment = os.environ | {"PGPASSWORD": "se/cr@t"}
        subprocess.run([self._programs / "createdb", *arguments], check=True, env=environment)
        return self.address(database)

    def start(self) -> None:
        options = f"-p {self.port} -k '' -c fsync=off -c listen_addresses=127.0.0.1"
        self._run("pg_ctl", "--wait", f"--log={self._folder}/log", f"--options={options}", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "--wait", "--mode=fast", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), f"--pgdata={self._folder}/data", *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", USER, "--", *command]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)
