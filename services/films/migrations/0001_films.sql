CREATE TABLE films (
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title    text        NOT NULL,
    year     integer     NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now()
);
