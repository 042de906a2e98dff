"""A relay that we control: it replays what was recorded, makes up what was not, and is wrong on demand."""
