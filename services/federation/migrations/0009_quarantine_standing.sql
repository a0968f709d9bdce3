-- What may be done about a line: nothing, since the order says so; try again; or ask why.

alter table federation.quarantine add column standing text not null default 'open'
    check (standing in ('refused', 'open', 'held', 'alarm'));
comment on column federation.quarantine.standing is '"refused": final, it stands in the order; "open": no verdict, the right one may still come; "held": this node''s own fault, it is taken in once that is mended; "alarm": the backbone accepted what this node finds wrong or misses.';

update federation.quarantine set standing = case
    when code = 'LOCAL_FAULT' then 'held'
    when code in ('DISAGREEMENT', 'NO_EVIDENCE', 'WITHHELD') then 'alarm'
    else 'refused' end
 where code in ('LOCAL_FAULT', 'DISAGREEMENT', 'NO_EVIDENCE', 'WITHHELD', 'NOT_AN_EVENT', 'TOO_LARGE', 'BAD_EVENT_ID',
                'CONTRADICTION', 'NOT_ITS_HOME', 'UNTELLABLE', 'SPACE_FORBIDDEN', 'BACKBONE_ONLY', 'ROLE_MISSING',
                'DUPLICATE_EVENT');
