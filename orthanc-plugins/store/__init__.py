"""Our SQL: tables, queries and migrations, on SQLite and PostgreSQL alike. Knows neither Orthanc nor HTTP."""
