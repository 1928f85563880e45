"""DCM4CHEE: what it holds, where it stores, what it failed at, and its application server."""

from __future__ import annotations

from panels import ONE_IS_WELL, Panel, lines, number

PANELS: list[Panel] = [
    number(
        "Archive",
        "1 when DCM4CHEE answers, 0 when not; no value while it is not part of the stack.",
        "short",
        'pacs_service_up{service="dcm4chee"}',
        steps=ONE_IS_WELL,
    ),
    number(
        "Answers in",
        "How long its last successful probe took.",
        "s",
        'pacs_service_probe_duration_seconds{service="dcm4chee"}',
    ),
    number("Studies in DCM4CHEE", "Studies that the archive holds.", "short", "pacs_dcm4chee_studies"),
    number("Instances in DCM4CHEE", "Instances that the archive holds.", "short", "pacs_dcm4chee_instances"),
    number("Stored in DCM4CHEE", "Bytes that its studies take.", "bytes", "pacs_dcm4chee_studies_bytes"),
    number(
        "Last answer",
        "How old its oldest answer about these figures is.",
        "s",
        "max(pacs_dcm4chee_answer_age_seconds)",
        steps=((None, "green"), (300, "yellow"), (900, "red")),
    ),
    lines(
        "Growth of DCM4CHEE",
        "Studies held.",
        "short",
        ("pacs_dcm4chee_studies", "studies"),
    ),
    lines(
        "Storage of DCM4CHEE",
        "Free and total space of each storage system.",
        "bytes",
        ("pacs_dcm4chee_storage_free_bytes", "{{storage}} free"),
        ("pacs_dcm4chee_storage_size_bytes", "{{storage}} total"),
    ),
    lines(
        "Failed tasks of DCM4CHEE",
        "Tasks in each queue that failed and wait for somebody.",
        "short",
        ("pacs_dcm4chee_failed_tasks > 0", "{{queue}}"),
    ),
    lines(
        "Delivered to DCM4CHEE",
        "Studies delivered by this PACS, per second.",
        "ops",
        (
            'sum by (outcome) (rate(pacs_deliveries_total{destination="dcm4chee"}[$__rate_interval]))',
            "{{outcome}}",
        ),
    ),
    lines(
        "Memory of WildFly",
        "Heap in use and the most it may take.",
        "bytes",
        ('base_memory_usedHeap_bytes{job="dcm4chee"}', "used"),
        ('base_memory_maxHeap_bytes{job="dcm4chee"}', "limit"),
    ),
    lines("Threads of WildFly", "Threads alive.", "short", ('base_thread_count{job="dcm4chee"}', "threads")),
]
