create table echo.heard_note (
    note text primary key,
    text text not null,
    times bigint not null
);
comment on table echo.heard_note is 'What the other test room told, and how often.';
