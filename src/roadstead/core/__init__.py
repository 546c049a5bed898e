"""What everything stands on: errors, schemas, geometry, ports, settings, files. It imports no other package."""
