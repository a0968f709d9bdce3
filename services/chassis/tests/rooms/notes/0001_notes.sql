create table notes.note (
    note text primary key,
    space text not null,
    text text not null check (length(text) < 1000),
    stamps bigint not null default 0,
    version bigint not null
);
comment on table notes.note is 'Notes, as the test room keeps them.';
