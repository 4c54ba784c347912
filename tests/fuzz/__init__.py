"""Cases that nobody thought of, by hypothesis: no exception but the named ones, bounded memory.

atheris, which looks for cases by coverage, was tried on the SenML and NMEA decoders: 2.9 million
cases found nothing that hypothesis had not. It is not kept: pure Python gives it little to steer by.
"""
