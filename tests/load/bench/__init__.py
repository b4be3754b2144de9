"""The load table: the servers that are measured, the parties that load them, and the rows."""
