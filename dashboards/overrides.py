"""Field options for one column, or for what one query answers, over a panel's defaults."""

from dashboards.panels import Json, Look, threshold_steps, value_mappings


def override(column: str, **properties: object) -> Json:
    """Field options for one column; a double underscore stands for a dot (`custom__width`)."""
    return {
        "matcher": {"id": "byName", "options": column},
        "properties": [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()],
    }


def override_query(ref: str, **properties: object) -> Json:
    """Field options for everything that one query answers."""
    return override("", **properties) | {"matcher": {"id": "byFrameRefID", "options": ref}}


def column(name: str, look: Look, coloured: bool = True) -> Json:
    """The override that gives a table column its unit, mappings and threshold colours."""
    properties: dict[str, object] = {"unit": look.unit}
    if look.decimals is not None:
        properties["decimals"] = look.decimals
    if look.mappings:
        properties["mappings"] = value_mappings(look.mappings)
    if coloured and (look.thresholds or look.mappings):
        properties["thresholds"] = threshold_steps(look.thresholds, look.lowest)
        properties["color"] = {"mode": "thresholds"}
        properties["custom__cellOptions"] = {"type": "color-text"}
    return override(name, **properties)
