"""Who sends what, what is in it, and where it went."""

from __future__ import annotations

from panels import Panel, bars, lines, ranking, rows, sql_number

DURATION = "pacs_http_request_duration_seconds"
PERIOD = "$__timeFilter({})"
#: A study's modalities stand in one text, as in DICOM, with a backslash at both ends. They are taken apart only after
#: studies with the same ones were counted: the series, three times as many, need not be looked at.
EACH_MODALITY = r"unnest(string_to_array(trim('\' FROM modalities), '\'))"
PANELS: list[Panel] = [
    sql_number(
        "Studies",
        "Studies that arrived in the period shown.",
        "short",
        f"SELECT count(*) AS studies FROM study WHERE {PERIOD.format('arrived_at')}",
        span=6,
    ),
    sql_number(
        "Instances",
        "Instances of the studies that arrived in the period shown.",
        "short",
        f"SELECT coalesce(sum(instance_count), 0) AS instances FROM study WHERE {PERIOD.format('arrived_at')}",
        span=6,
    ),
    sql_number(
        "Stored",
        "What the studies that arrived in the period shown take on disk.",
        "bytes",
        f"SELECT coalesce(sum(size_bytes), 0) AS bytes FROM study WHERE {PERIOD.format('arrived_at')}",
        span=6,
    ),
    sql_number(
        "Structures",
        "Structures extracted in the period shown.",
        "short",
        f"SELECT count(*) AS structures FROM structure WHERE {PERIOD.format('extracted_at')}",
        span=6,
    ),
    bars(
        "Studies per day",
        "Studies by the day on which they arrived.",
        "short",
        "SELECT $__timeGroup(arrived_at, '1d') AS time, count(*) AS studies FROM study"
        f" WHERE {PERIOD.format('arrived_at')} GROUP BY 1 ORDER BY 1",
    ),
    bars(
        "Studies per day, by modality",
        "Studies by the day on which they arrived; one with several modalities counts for each.",
        "short",
        "SELECT time, metric, sum(studies) AS studies FROM"
        " (SELECT $__timeGroup(arrived_at, '1d') AS time, modalities, count(*) AS studies FROM study"
        f" WHERE {PERIOD.format('arrived_at')} GROUP BY 1, 2) AS days, {EACH_MODALITY} AS metric"
        " WHERE metric IN ($modality) GROUP BY 1, 2 ORDER BY 1, 2",
    ),
    ranking(
        "Modalities",
        "Studies of the period shown, by modality.",
        "short",
        "SELECT modality, sum(studies) AS studies FROM"
        f" (SELECT modalities, count(*) AS studies FROM study WHERE {PERIOD.format('arrived_at')} GROUP BY 1) AS held,"
        f" {EACH_MODALITY} AS modality GROUP BY 1 ORDER BY 2 DESC LIMIT 20",
    ),
    ranking(
        "Stations",
        "Series of the period shown, by the station that made them.",
        "short",
        "SELECT coalesce(nullif(station, ''), 'not named') AS station, count(*) AS series FROM series"
        f" WHERE {PERIOD.format('arrived_at')} AND modality IN ($modality) GROUP BY 1 ORDER BY 2 DESC LIMIT 20",
    ),
    bars(
        "Structures per day",
        "Structures by the day of their extraction.",
        "short",
        "SELECT $__timeGroup(extracted_at, '1d') AS time, count(*) AS structures FROM structure"
        f" WHERE {PERIOD.format('extracted_at')} GROUP BY 1 ORDER BY 1",
    ),
    rows(
        "Structure volumes across the cohort",
        "The most frequent structures of the period shown, volumes in cm³.",
        # The volumes are collected by hash, on several processors, and each name's are sorted alone: half the time of
        # sorting all of them by name.
        "SELECT name, structures, round(min_cm3::numeric, 1) AS min_cm3,"
        " round((SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY cm3) FROM unnest(volumes) AS cm3)::numeric, 1)"
        " AS median_cm3, round(max_cm3::numeric, 1) AS max_cm3"
        " FROM (SELECT name, count(*) AS structures, min(volume_cm3) AS min_cm3, max(volume_cm3) AS max_cm3,"
        " array_agg(volume_cm3) AS volumes"
        f" FROM structure WHERE {PERIOD.format('extracted_at')} GROUP BY name ORDER BY 2 DESC, 1 LIMIT 50) AS named"
        " ORDER BY 2 DESC, 1",
    ),
    rows(
        "Extraction times",
        "Seconds, by size of the structure set; of the period shown.",
        "SELECT CASE WHEN point_count < 10000 THEN '< 10 000 points' WHEN point_count < 100000 THEN '< 100 000 points'"
        " WHEN point_count < 1000000 THEN '< 1 000 000 points' ELSE 'larger' END AS size, count(*) AS structure_sets,"
        " round(percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_s)::numeric, 2) AS p50_s,"
        " round(percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_s)::numeric, 2) AS p95_s"
        f" FROM extraction WHERE state = 'done' AND {PERIOD.format('finished_at')}"
        " GROUP BY 1 ORDER BY min(point_count)",
    ),
    bars(
        "Deliveries per day",
        "Studies by the day on which a destination was proven to hold them.",
        "short",
        "SELECT $__timeGroup(delivered_at, '1d') AS time, destination AS metric, count(*) AS deliveries FROM delivery"
        f" WHERE state = 'delivered' AND {PERIOD.format('delivered_at')} GROUP BY 1, 2 ORDER BY 1, 2",
    ),
    rows(
        "Deliveries by destination",
        "Deliveries that were asked for in the period shown; seconds on average.",
        "SELECT destination, count(*) FILTER (WHERE state = 'delivered') AS delivered,"
        " count(*) FILTER (WHERE state = 'failed') AS failed,"
        " count(*) FILTER (WHERE state IN ('waiting', 'sending', 'verifying')) AS under_way,"
        " round(avg(duration_s) FILTER (WHERE state = 'delivered')::numeric, 1) AS seconds,"
        " round(coalesce(sum(bytes_total) FILTER (WHERE state = 'delivered'), 0) / 1e9, 2) AS gigabytes"
        f" FROM delivery WHERE {PERIOD.format('created_at')} GROUP BY 1 ORDER BY 1",
    ),
    lines(
        "Users of the API",
        "Requests of /api per second, by account.",
        "reqps",
        ("sum by (account) (rate(pacs_api_requests_total[$__rate_interval]))", "{{account}}"),
    ),
    lines(
        "Uses of the API",
        "Requests of /api per second, by route.",
        "reqps",
        (f"sum by (route) (rate({DURATION}_count[$__rate_interval]))", "{{route}}"),
    ),
]
