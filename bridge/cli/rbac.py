"""`event-bridge rbac`."""

from typing import Annotated

import typer

from bridge.cli.file import ConfigFile, read

Offline = Annotated[
    bool,
    typer.Option("--offline", help="Ask no API server. Built-in resources are known, others need their group's name."),
]


def rbac(
    config: ConfigFile = None,
    account: Annotated[
        str,
        typer.Option("--service-account", metavar="NAME", help="The bridge's ServiceAccount."),
    ] = "event-bridge",
    namespace: Annotated[
        str,
        typer.Option("--namespace", "-n", metavar="NS", help="The namespace of the ServiceAccount."),
    ] = "event-bridge",
    *,
    offline: Offline = False,
) -> None:
    """Print the least roles that the config file needs, with their bindings, for `kubectl apply`.

    Exit code 1 where a resource of the file is not known.
    """
    settings, name = read(config)

    import asyncio  # noqa: PLC0415 - heavy

    from bridge.checks.meanings import meanings  # noqa: PLC0415 - heavy
    from bridge.rights.kubernetes import rules  # noqa: PLC0415 - heavy
    from bridge.rights.rbac import Account, manifest  # noqa: PLC0415 - heavy
    from bridge.telemetry import configure_logging  # noqa: PLC0415 - heavy

    configure_logging("warning", console=True)
    known = asyncio.run(meanings(settings, offline=offline))
    for problem in known.problems:
        typer.echo(problem, err=True)
    if known.problems:
        raise typer.Exit(1)
    head = f"What the bridge of {name} needs, and no more; {known.source}."
    if settings.cluster:
        head += f"\n{UNPROVEN}"
    typer.echo(manifest(rules(settings, known.found), Account(settings.name, account, namespace), head), nl=False)


UNPROVEN = (
    "`cluster` is set, so `get` on the namespace kube-system is left out: another cluster behind the same address is"
    " not noticed."
)
