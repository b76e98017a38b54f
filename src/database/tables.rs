//! The tables of the store and their columns, for what carries all of them from one place to another.

/// What a column holds. There are no others: what is portable between SQLite and PostgreSQL is little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// TEXT.
    Text,
    /// BIGINT.
    Integer,
}

/// A table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns; the first is its key.
    pub columns: &'static [(&'static str, Kind)],
}

/// All tables, those that others refer to first. A test compares them with what the migrations make.
pub const TABLES: &[Table] = &[
    Table { name: "changes", columns: &[("id", Kind::Text), ("at", Kind::Integer), ("record", Kind::Text)] },
    Table {
        name: "gap_reports",
        columns: &[
            ("id", Kind::Text),
            ("at", Kind::Integer),
            ("query", Kind::Text),
            ("folded", Kind::Text),
            ("note", Kind::Text),
            ("region", Kind::Text),
            ("lang", Kind::Text),
        ],
    },
    Table {
        name: "people",
        columns: &[
            ("id", Kind::Text),
            ("login", Kind::Text),
            ("name", Kind::Text),
            ("email", Kind::Text),
            ("roles", Kind::Text),
            ("audiences", Kind::Text),
            ("region", Kind::Text),
            ("source", Kind::Text),
            ("external_id", Kind::Text),
            ("subject", Kind::Text),
            ("active", Kind::Integer),
            ("password", Kind::Text),
            ("totp_secret", Kind::Text),
            ("totp_step", Kind::Integer),
            ("created_at", Kind::Integer),
            ("updated_at", Kind::Integer),
            ("seen_at", Kind::Integer),
        ],
    },
    Table {
        name: "teams",
        columns: &[
            ("id", Kind::Text),
            ("name", Kind::Text),
            ("roles", Kind::Text),
            ("audiences", Kind::Text),
            ("region", Kind::Text),
            ("external_id", Kind::Text),
            ("created_at", Kind::Integer),
            ("updated_at", Kind::Integer),
        ],
    },
    Table {
        name: "team_members",
        columns: &[("id", Kind::Text), ("team_id", Kind::Text), ("person_id", Kind::Text)],
    },
    Table {
        name: "sessions",
        columns: &[
            ("id", Kind::Text),
            ("handle", Kind::Text),
            ("person_id", Kind::Text),
            ("proved_by", Kind::Text),
            ("created_at", Kind::Integer),
            ("seen_at", Kind::Integer),
            ("expires_at", Kind::Integer),
            ("address", Kind::Text),
            ("agent", Kind::Text),
            ("provider_token", Kind::Text),
        ],
    },
    Table {
        name: "links",
        columns: &[
            ("id", Kind::Text),
            ("person_id", Kind::Text),
            ("purpose", Kind::Text),
            ("created_at", Kind::Integer),
            ("expires_at", Kind::Integer),
        ],
    },
    Table { name: "recovery_codes", columns: &[("id", Kind::Text), ("person_id", Kind::Text)] },
    Table {
        name: "tokens",
        columns: &[
            ("id", Kind::Text),
            ("digest", Kind::Text),
            ("person_id", Kind::Text),
            ("name", Kind::Text),
            ("scopes", Kind::Text),
            ("created_at", Kind::Integer),
            ("expires_at", Kind::Integer),
            ("used_at", Kind::Integer),
        ],
    },
    Table {
        name: "failures",
        columns: &[("id", Kind::Text), ("times", Kind::Integer), ("last_at", Kind::Integer)],
    },
    Table {
        name: "sign_ins",
        columns: &[
            ("id", Kind::Text),
            ("nonce", Kind::Text),
            ("verifier", Kind::Text),
            ("back_to", Kind::Text),
            ("expires_at", Kind::Integer),
        ],
    },
    Table {
        name: "audit",
        columns: &[
            ("id", Kind::Text),
            ("at", Kind::Integer),
            ("actor", Kind::Text),
            ("actor_name", Kind::Text),
            ("action", Kind::Text),
            ("subject", Kind::Text),
            ("details", Kind::Text),
            ("address", Kind::Text),
        ],
    },
    Table {
        name: "belongings",
        columns: &[
            ("id", Kind::Text),
            ("person_id", Kind::Text),
            ("kind", Kind::Text),
            ("value", Kind::Text),
            ("updated_at", Kind::Integer),
        ],
    },
    Table { name: "versions", columns: &[("id", Kind::Text), ("number", Kind::Integer)] },
    Table { name: "texts", columns: &[("id", Kind::Text), ("body", Kind::Text)] },
    Table {
        name: "publications",
        columns: &[
            ("id", Kind::Text),
            ("at", Kind::Integer),
            ("author", Kind::Text),
            ("author_name", Kind::Text),
            ("reason", Kind::Text),
            ("state", Kind::Text),
            ("files", Kind::Text),
            ("undoes", Kind::Text),
        ],
    },
    Table {
        name: "revisions",
        columns: &[
            ("id", Kind::Text),
            ("path", Kind::Text),
            ("at", Kind::Integer),
            ("text_id", Kind::Text),
            ("author", Kind::Text),
            ("author_name", Kind::Text),
            ("reason", Kind::Text),
            ("origin", Kind::Text),
            ("publication_id", Kind::Text),
        ],
    },
    Table {
        name: "drafts",
        columns: &[
            ("id", Kind::Text),
            ("person_id", Kind::Text),
            ("title", Kind::Text),
            ("created_at", Kind::Integer),
            ("updated_at", Kind::Integer),
            ("publish_at", Kind::Integer),
            ("reason", Kind::Text),
            ("author_name", Kind::Text),
            ("fault", Kind::Text),
        ],
    },
    Table {
        name: "draft_files",
        columns: &[
            ("id", Kind::Text),
            ("draft_id", Kind::Text),
            ("path", Kind::Text),
            ("base", Kind::Text),
            ("body", Kind::Text),
            ("version", Kind::Integer),
            ("updated_at", Kind::Integer),
        ],
    },
    Table {
        name: "reviews",
        columns: &[
            ("id", Kind::Text),
            ("asked_at", Kind::Integer),
            ("asked_by", Kind::Text),
            ("note", Kind::Text),
        ],
    },
    Table {
        name: "verdicts",
        columns: &[
            ("id", Kind::Text),
            ("draft_id", Kind::Text),
            ("person_id", Kind::Text),
            ("person_name", Kind::Text),
            ("at", Kind::Integer),
            ("approved", Kind::Integer),
            ("contents", Kind::Text),
            ("note", Kind::Text),
        ],
    },
    Table {
        name: "remarks",
        columns: &[
            ("id", Kind::Text),
            ("draft_id", Kind::Text),
            ("path", Kind::Text),
            ("line", Kind::Integer),
            ("line_text", Kind::Text),
            ("person_id", Kind::Text),
            ("person_name", Kind::Text),
            ("at", Kind::Integer),
            ("body", Kind::Text),
            ("settled_at", Kind::Integer),
        ],
    },
    Table {
        name: "notices",
        columns: &[
            ("id", Kind::Text),
            ("person_id", Kind::Text),
            ("at", Kind::Integer),
            ("kind", Kind::Text),
            ("title", Kind::Text),
            ("link", Kind::Text),
            ("on_desk", Kind::Integer),
            ("by_mail", Kind::Integer),
            ("seen_at", Kind::Integer),
            ("mailed_at", Kind::Integer),
        ],
    },
    Table {
        name: "notice_choices",
        columns: &[
            ("id", Kind::Text),
            ("person_id", Kind::Text),
            ("kind", Kind::Text),
            ("on_desk", Kind::Integer),
            ("by_mail", Kind::Integer),
        ],
    },
    Table {
        name: "hooks",
        columns: &[
            ("id", Kind::Text),
            ("url", Kind::Text),
            ("secret", Kind::Text),
            ("kinds", Kind::Text),
            ("created_at", Kind::Integer),
            ("active", Kind::Integer),
        ],
    },
    Table {
        name: "deliveries",
        columns: &[
            ("id", Kind::Text),
            ("hook_id", Kind::Text),
            ("at", Kind::Integer),
            ("kind", Kind::Text),
            ("body", Kind::Text),
            ("tries", Kind::Integer),
            ("next_at", Kind::Integer),
            ("status", Kind::Integer),
            ("fault", Kind::Text),
        ],
    },
    Table {
        name: "must_reads",
        columns: &[
            ("id", Kind::Text),
            ("article", Kind::Text),
            ("title", Kind::Text),
            ("note", Kind::Text),
            ("audience", Kind::Text),
            ("regions", Kind::Text),
            ("before", Kind::Text),
            ("after", Kind::Text),
            ("at", Kind::Integer),
            ("author", Kind::Text),
            ("author_name", Kind::Text),
            ("due", Kind::Text),
            ("question", Kind::Text),
            ("choices", Kind::Text),
            ("answer", Kind::Integer),
            ("with_code", Kind::Integer),
            ("withdrawn_at", Kind::Integer),
        ],
    },
    Table {
        name: "acknowledgements",
        columns: &[
            ("id", Kind::Text),
            ("must_read_id", Kind::Text),
            ("person_id", Kind::Text),
            ("article", Kind::Text),
            ("text_id", Kind::Text),
            ("at", Kind::Integer),
            ("proof", Kind::Text),
        ],
    },
    Table {
        name: "reading_codes",
        columns: &[
            ("id", Kind::Text),
            ("person_id", Kind::Text),
            ("digest", Kind::Text),
            ("expires_at", Kind::Integer),
        ],
    },
    Table {
        name: "threads",
        columns: &[
            ("id", Kind::Text),
            ("article", Kind::Text),
            ("title", Kind::Text),
            ("anchor", Kind::Text),
            ("quote", Kind::Text),
            ("kind", Kind::Text),
            ("person_id", Kind::Text),
            ("person_name", Kind::Text),
            ("at", Kind::Integer),
            ("updated_at", Kind::Integer),
            ("resolved_at", Kind::Integer),
        ],
    },
    Table {
        name: "posts",
        columns: &[
            ("id", Kind::Text),
            ("thread_id", Kind::Text),
            ("person_id", Kind::Text),
            ("person_name", Kind::Text),
            ("at", Kind::Integer),
            ("body", Kind::Text),
        ],
    },
    Table {
        name: "feed_runs",
        columns: &[
            ("id", Kind::Text),
            ("feed", Kind::Text),
            ("at", Kind::Integer),
            ("state", Kind::Text),
            ("digest", Kind::Text),
            ("summary", Kind::Text),
            ("details", Kind::Text),
        ],
    },
    Table { name: "commits", columns: &[("id", Kind::Text), ("at", Kind::Integer), ("hash", Kind::Text)] },
    Table {
        name: "openings",
        columns: &[("id", Kind::Text), ("day", Kind::Integer), ("times", Kind::Integer)],
    },
];

/// What passes by itself, and what nobody wants back when a backup is restored: who was signed in then, links that were used since.
pub const PASSING: &[&str] = &["sessions", "links", "sign_ins", "failures", "versions", "reading_codes"];

impl Table {
    /// The statement that reads it, in the order of its key.
    pub fn select(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        format!("SELECT {} FROM {} ORDER BY {}", names.join(", "), self.name, names[0])
    }

    /// The statement that adds a row.
    pub fn insert(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        let values: Vec<String> = (1..=names.len()).map(|at| format!("${at}")).collect();
        format!("INSERT INTO {} ({}) VALUES ({})", self.name, names.join(", "), values.join(", "))
    }
}
