"""What `/metrics` answers: the counters and gauges of one gateway for Prometheus.

Source of the format: Prometheus exposition format 0.0.4.
"""

from gateway.web.health import Health, age_s

Row = tuple[str, str, str, list[tuple[dict[str, str], float]]]
"""Name, type, what it means; labels and value of each sample."""


def metrics(health: Health) -> str:
    """The whole text."""
    return "".join(_family(*row) for row in (*_whole(health), *_codecs(health), *_told(health), *_things(health)))


def _told(health: Health) -> list[Row]:
    """Of what things are told, where they may be."""
    counts = {} if health.commands is None else health.commands.counts
    samples: list[tuple[dict[str, str], float]] = [({"state": state}, count) for state, count in counts.items()]
    return [("commands_total", "counter", "Commands by what became of them.", samples)] if samples else []


def _whole(health: Health) -> list[Row]:
    """Of the gateway, its sources, its sinks and its disks."""
    depth, forecast = health.spool.depth(), health.spool.forecast()
    stages = health.stats.stages
    return [
        ("points_total", "counter", "Messages and points by stage.",
         [({"stage": key}, getattr(stages, key)) for key in stages.__slots__]),
        ("spool_points", "gauge", "Points waiting in the spool.", [({}, depth.points)]),
        ("spool_bytes", "gauge", "Bytes waiting in the spool.", [({}, depth.bytes)]),
        ("spool_oldest_seconds", "gauge", "Age of the oldest point in the spool.",
         [({}, age_s(depth.oldest_ns, health.clock.now_ns()) or 0.0)]),
        ("spool_forecast_seconds", "gauge", "Time until the spool or its disk is full at the present rate.",
         [] if forecast is None else [({}, forecast)]),
        ("quarantine_items", "gauge", "Items in the quarantine.", [({}, depth.quarantined)]),
        ("quarantine_bytes", "gauge", "Bytes of the quarantine.", [({}, depth.quarantine_bytes)]),
        ("quarantine_given_up_total", "counter", "Items that went for newer ones.", [({}, depth.given_up)]),
        ("disk_free_bytes", "gauge", "What this user may still write on the disk of the folder.",
         [({"folder": str(disk.folder)}, disk.space.free) for disk in health.disks.disks]),
        ("disk_size_bytes", "gauge", "The whole disk of the folder.",
         [({"folder": str(disk.folder)}, disk.space.size) for disk in health.disks.disks]),
        ("source_up", "gauge", "1 where the port or broker connection is up.",
         [({"source": source.name}, source.state == "up") for source in health.stats.sources.values()]),
        ("source_connects_total", "counter", "Times the port or broker was opened.",
         [({"source": source.name}, source.connects) for source in health.stats.sources.values()]),
        ("source_refused_total", "counter", "Frames and messages that could not be read.",
         [({"source": source.name}, source.refused) for source in health.stats.sources.values()]),
        ("sink_up", "gauge", "1 where the last batch was accepted.",
         [({"sink": sink.name}, sink.up) for sink in health.stats.sinks.values()]),
        ("sink_batches_total", "counter", "Batches accepted.",
         [({"sink": sink.name}, sink.batches) for sink in health.stats.sinks.values()]),
        ("sink_retries_total", "counter", "Batches that had to be kept and tried again.",
         [({"sink": sink.name}, sink.retries) for sink in health.stats.sinks.values()]),
        ("sink_remade_total", "counter", "Databases that were gone and have been made again, empty.",
         [({"sink": sink.name}, sink.remade) for sink in health.stats.sinks.values()]),
        ("sink_write_seconds_total", "counter", "Time spent in accepted writes.",
         [({"sink": sink.name}, sink.write_s) for sink in health.stats.sinks.values()]),
        ("silent_things", "gauge", "Things that were not heard for too long.", [({}, health.watchdog.silent)]),
        ("silence_faults", "gauge", "Silences being reported, by the layer that is silent.",
         [({"layer": layer}, count) for layer, count in health.watchdog.faults.by_layer().items()]),
        ("silence_events_total", "counter", "Silences and returns that were said.",
         [({}, health.watchdog.faults.events)]),
        ("heals_total", "counter", "Attempts to heal a silent source.",
         [({"action": action}, count) for action, count in health.watchdog.healed.items()]),
    ]  # fmt: skip


def _codecs(health: Health) -> list[Row]:
    """Of each codec that was asked something."""
    counts = () if health.codecs is None else health.codecs.counts()
    if not counts:
        return []
    return [
        ("codec_decoded_total", "counter", "Uplinks that the codec decoded.",
         [({"codec": each.name}, each.decoded) for each in counts]),
        ("codec_refused_total", "counter", "Uplinks that it did not, for whatever reason.",
         [({"codec": each.name}, each.refused) for each in counts]),
        ("codec_warnings_total", "counter", "Warnings that it gave.",
         [({"codec": each.name}, each.warnings) for each in counts]),
        ("codec_set_aside", "gauge", "1 where the codec is not asked for now.",
         [({"codec": each.name}, each.aside) for each in counts]),
    ]  # fmt: skip


def _things(health: Health) -> list[Row]:
    """Of each thing, and of topics that became none."""
    rows: list[Row] = []
    things = [
        ({"source": stats.source, "device": stats.device, "thing": stats.thing}, stats)
        for stats in health.stats.devices.values()
    ]
    for name, attribute, text in (
        ("readings_total", "readings", "Readings decoded."),
        ("empty_total", "empty", "Frames and payloads with nothing to report."),
        ("field_errors_total", "field_errors", "Values of optional fields left out of their readings."),
        ("noise_bytes_total", "noise_bytes", "Bytes outside any frame."),
        ("integrity_errors_total", "integrity_errors", "Frames whose checksum did not hold."),
        ("sanity_errors_total", "sanity_errors", "Frames and payloads that cannot be true."),
        ("unanswered_total", "unanswered", "Questions asked in vain."),
        ("clock_errors_total", "clock_errors", "Readings whose own time could not be true."),
        ("dropped_points_total", "dropped", "Points given up because the spool was full."),
    ):
        rows.append((name, "counter", text, [(labels, getattr(stats, attribute)) for labels, stats in things]))
    topics = [
        ({"source": row.source, "topic": row.topic, "device": row.device, "thing": row.thing}, float(row.messages))
        for row in health.stats.topics.values()
    ]
    if topics:
        text = "Messages on topics of which nothing was ever stored."
        rows.append(("unread_messages_total", "counter", text, topics))
    seen = [(labels, stats.last_seen_ns / 1e9) for labels, stats in things if stats.last_seen_ns]
    rows.append(("last_seen_timestamp_seconds", "gauge", "When the thing was last heard.", seen))
    return rows


def _family(name: str, kind: str, text: str, samples: list[tuple[dict[str, str], float]]) -> str:
    name = "parkgate_" + name
    out = [f"# HELP {name} {text}\n# TYPE {name} {kind}\n"]
    for labels, value in samples:
        words = ",".join(f'{key}="{_label(text)}"' for key, text in labels.items())
        out.append(f"{name}{{{words}}} {float(value)!r}\n" if words else f"{name} {float(value)!r}\n")
    return "".join(out)


def _label(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
