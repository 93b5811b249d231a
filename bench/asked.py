"""What the real API server has been asked, by its own count."""

import re
import ssl
import urllib.request

from tests.servers.apiserver import Cluster

LINE = re.compile(r"^apiserver_request_total\{(?P<labels>.*)\} (?P<count>\S+)$", re.MULTILINE)
READS = ("GET", "LIST", "WATCH")
ANSWER = 30.0


def reads(cluster: Cluster, resource: str) -> int:
    """Of one resource. A watch is counted when it has ended."""
    request = urllib.request.Request(f"{cluster.url}/metrics", headers={"Authorization": f"Bearer {cluster.token}"})
    context = ssl.create_default_context(cafile=cluster.ca)
    with urllib.request.urlopen(request, timeout=ANSWER, context=context) as reply:
        return parse_reads(reply.read().decode(), resource)


def parse_reads(metrics: str, resource: str) -> int:
    total = 0.0
    for found in LINE.finditer(metrics):
        labels = found["labels"]
        if f'resource="{resource}"' in labels and any(f'verb="{verb}"' in labels for verb in READS):
            total += float(found["count"])
    return int(total)
