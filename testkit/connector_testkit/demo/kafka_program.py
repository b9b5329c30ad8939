"""Apache Kafka itself: fetched once from Maven's repository into a cache, run with Java.

Where Maven fetches from is a setting of the machine (its ``settings.xml``), never of the project.
"""

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

VERSION = "4.3.1"
"""4.4.0 does not resolve: it depends on a jar that was not published."""
JAVA = 17
FETCHING = 600.0
POM = """\
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>pki-connector</groupId>
  <artifactId>broker</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{kafka}</version>
    </dependency>
    <dependency>
      <!-- kafka-acls; what it needs comes with the broker -->
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka-tools</artifactId>
      <version>{kafka}</version>
      <exclusions>
        <exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion>
      </exclusions>
    </dependency>
    <dependency>
      <!-- the broker's own log lines -->
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>2.25.1</version>
    </dependency>
  </dependencies>
</project>
"""
COPY = ("-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime")


class BrokerUnavailable(Exception):
    """A real broker cannot be had on this machine; the text says what is missing."""


def cache() -> Path:
    """Where the fetched program lies: below ``XDG_CACHE_HOME``, which is ``~/.cache`` if unset."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "pki-connector" / f"kafka-{VERSION}"


async def class_path(folder: Path | None = None) -> str:
    """Java's class path of Apache Kafka, fetched if ``folder`` (:func:`cache`) does not exist.

    Raises:
        BrokerUnavailable: no Java 17, no Maven, or Maven could not fetch it.
    """
    whole = folder or cache()
    java()
    if not whole.is_dir():
        await asyncio.to_thread(_fetch, whole)
    return str(whole / "*")


def java() -> str:
    """The path of a Java that is new enough.

    Raises:
        BrokerUnavailable: there is none.
    """
    path = shutil.which("java")
    if path is None:
        raise BrokerUnavailable(f"Java {JAVA} is not installed (Debian: default-jre-headless)")
    said = subprocess.run([path, "-version"], check=False, capture_output=True, text=True)
    found = re.search(r'version "(\d+)', said.stderr + said.stdout)
    if found is None or int(found[1]) < JAVA:
        raise BrokerUnavailable(f"Java is older than {JAVA}")
    return path


def _fetch(whole: Path) -> None:
    """Fetch beside the place, then rename: an interrupted download is never taken for whole."""
    maven = shutil.which("mvn")
    if maven is None:
        raise BrokerUnavailable("Maven is not installed (Debian: maven)")
    whole.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=whole.parent, prefix=".fetching-") as beside:
        pom, jars = Path(beside) / "pom.xml", Path(beside) / "jars"
        pom.write_text(POM.format(kafka=VERSION))
        command = [maven, *COPY, "-f", str(pom), f"-DoutputDirectory={jars}"]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=FETCHING)
        except (subprocess.SubprocessError, OSError):
            raise BrokerUnavailable(f"Maven could not fetch Apache Kafka {VERSION}") from None
        _put(jars, whole)


def _put(jars: Path, whole: Path) -> None:
    try:
        jars.rename(whole)
    except OSError:
        if not whole.is_dir():  # otherwise another process was quicker with the same
            raise
