-- NULL where nobody knows, so that the version before goes on adding films.
ALTER TABLE films ADD COLUMN minutes integer;
