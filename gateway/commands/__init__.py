"""What things are told: asked for, allowed, said once, answered, and written down. See docs/commands.md."""

from gateway.commands.asked import Ask, Refused, Why
from gateway.commands.book import Book
from gateway.commands.broker import BrokerReach, Tap
from gateway.commands.desk import Desk
from gateway.commands.entry import Entry, saying
from gateway.commands.ledger import Ledger, LedgerUnusable, read
from gateway.commands.line import LineReach
from gateway.commands.order import Reach, Reached
from gateway.commands.port import PortReach
from gateway.commands.room import CommandRoom

__all__ = [
    "Ask",
    "Book",
    "BrokerReach",
    "CommandRoom",
    "Desk",
    "Entry",
    "Ledger",
    "LedgerUnusable",
    "LineReach",
    "PortReach",
    "Reach",
    "Reached",
    "Refused",
    "Tap",
    "Why",
    "read",
    "saying",
]
