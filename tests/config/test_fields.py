from msgspec.inspect import StructType

from bridge.config.fields import fields, root


def test_a_field_knows_both_its_names_and_its_default() -> None:
    """Messages speak the file's language, code speaks Python's; the default is shown as it would be written."""
    kafka = next(field for field in fields(root()) if field.name == "kafka").kind.type
    assert isinstance(kafka, StructType)
    shown = {
        field.name: (field.attribute, field.required, field.default_text)
        for field in fields(kafka)
        if not field.required
    }

    assert shown == {
        "delivery": ("delivery", False, "exactly-once"),
        "compression": ("compression", False, "zstd"),
        "commitInterval": ("commit_interval", False, "50ms"),
        "transactionTimeout": ("transaction_timeout", False, "15s"),
        "maxMessageBytes": ("max_message_bytes", False, "1MiB"),
        "tls": ("tls", False, "no TLS"),
        "sasl": ("sasl", False, "no authentication"),
    }
