"""A linter over every board."""

from dashboards.rules.board import problems, problems_of_all

__all__ = ["problems", "problems_of_all"]
