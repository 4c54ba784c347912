"""Levels of blood pressure and of an adult's pulse at rest.

Source: European Society of Hypertension (2023), grades 1 and 3; below 90/60 mmHg it is low.
"""

from devices.spec.field import Threshold

SYSTOLIC_LEVELS = (Threshold(0, "fair"), Threshold(90, "good"), Threshold(140, "poor"), Threshold(180, "bad"))
DIASTOLIC_LEVELS = (Threshold(0, "fair"), Threshold(60, "good"), Threshold(90, "poor"), Threshold(110, "bad"))
PULSE_LEVELS = (Threshold(0, "fair"), Threshold(60, "good"), Threshold(101, "fair"))
