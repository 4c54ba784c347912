"""Faults on purpose: the gateway as a real process between a real mosquitto and a real influxd.

Each test brings one kind of trouble under a steady QoS 1 load and ends with an audit of what the
broker took against what InfluxDB holds: `== (0, 0)`, lost and duplicates. `make faults` runs
all of it; `make test` leaves out what is marked slow.

    test_killed            SIGKILL at drawn moments (3 in a quick load, 20 in a long one), and in the very
                           moment between commit and acknowledgement
    test_network           between broker and gateway: cut in mid-packet, stalled, slow, half closed
    test_broker            mosquitto restarted and killed, with and without persistence
    test_shared            two gateways on one shared subscription, killed in turn
    test_influx_answers    every answer of InfluxDB 1.x, 2.x and 3 to a write, once and for a while
    test_influx_trouble    a real influxd killed, frozen, slow, cut in the middle of an answer
    test_clock             the time of day stepped by an hour and by less, a clock of coarse ticks
    test_disk              the spool's quota full; the disk full (a small tmpfs, where that is allowed)
    test_hostile           malformed packets, huge payloads; what mosquitto lets through
    test_hostile_broker    what mosquitto would never pass on, from a false broker beside a real one
    test_hostile_flood     floods of names, of topics of 65,535 bytes, of payloads of 1 MB
    test_hostile_names     injection by topic, thing and text
    test_an_hour           every device type for an hour of its own time over its link, with 1 % faults
    test_serial            a port at line rate, 1 % of its bytes flipped, beside the load
    test_serial_noise      the same for each kind of framing, and three ports as fast as they are read

The tools: `proxy` (cut, stall, delay, trickle, half-close), `front` (an InfluxDB 1.x that answers as
told), `timeofday` (the time of day of one process), `ground` (config, waits, a steady load whose
messages carry no time, the audit). Random moments come from seeds, and are printed. Nothing
sleeps for a result: tests wait for conditions.
"""
