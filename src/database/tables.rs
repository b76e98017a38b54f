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
];

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
