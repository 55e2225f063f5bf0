"""The options of both programs: one table, from which whatever knows of options is made, or tested."""
