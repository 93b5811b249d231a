"""A bare pipe of bytes: what anything that looks at the bytes has to be measured against."""

from bench.contestants.building import lacking
from bench.contestants.contestant import Job, Plain

NEEDED = ("curl", "kcat")


class Pipe(Plain):
    """kcat makes a record of each line, and holds the last one back until the next begins.

    Settings that are not named are librdkafka's.
    """

    name = "curl | kcat"
    what = "curl -N piped to kcat -P -z zstd"
    cannot = "no key and no order per object, no list, no resume, no deletes after a gap; a broken watch ends it"
    slow = False
    variant = False

    def missing(self) -> str:
        lacks = lacking(*NEEDED)
        return f"{lacks} (in Debian and Ubuntu: apt-get install curl kcat)" if lacks else ""

    def command(self, job: Job) -> list[str]:
        login = f"--cacert {job.ca} -H 'Authorization: Bearer {job.token}' " if job.ca else ""
        watch = f"curl -sN {login}'{job.url}/api/v1/{job.resource}?watch=1'"
        return ["sh", "-c", f"{watch} | kcat -P -b {job.brokers} -t {job.topic} -z zstd"]


PIPE = Pipe()
