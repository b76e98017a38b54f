//! What people may do: permissions by name, and roles as sets of them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something that not everybody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// Search and read what is for one's audiences.
    Read,
    /// Tell the editors what was not found.
    TellGaps,
    /// Read what is for any audience.
    ReadEverything,
    /// Write drafts and publish them.
    Edit,
    /// Approve what others wrote.
    Approve,
    /// See what is wrong with the content.
    SeeProblems,
    /// See what was not found.
    SeeGaps,
    /// See who works here and in which team.
    SeePeople,
    /// Invite, change, lock and erase people; put them into teams.
    ManagePeople,
    /// Keep people and teams in step with a company's directory (SCIM): for its token.
    Provision,
    /// Choose which programs are told of what (webhooks).
    ManageHooks,
    /// See who did what.
    SeeAudit,
    /// See how the server is, and its metrics.
    SeeHealth,
}

impl Permission {
    /// The permissions by name.
    pub const NAMES: &[(&'static str, Self)] = &[
        ("read", Self::Read),
        ("tell-gaps", Self::TellGaps),
        ("read-everything", Self::ReadEverything),
        ("edit", Self::Edit),
        ("approve", Self::Approve),
        ("see-problems", Self::SeeProblems),
        ("see-gaps", Self::SeeGaps),
        ("see-people", Self::SeePeople),
        ("manage-people", Self::ManagePeople),
        ("provision", Self::Provision),
        ("manage-hooks", Self::ManageHooks),
        ("see-audit", Self::SeeAudit),
        ("see-health", Self::SeeHealth),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, p)| *p == self).map_or("", |(name, _)| name)
    }

    /// The permission of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, p)| *p)
    }

    /// All of them.
    pub fn all() -> BTreeSet<Self> {
        Self::NAMES.iter().map(|(_, permission)| *permission).collect()
    }
}

/// A set of permissions that people are given together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Answers customers on the phone and in chats.
    Operator,
    /// Answers customers at the counter.
    Consultant,
    /// Writes articles.
    Editor,
    /// Approves what editors write.
    Reviewer,
    /// Leads a team.
    Lead,
    /// Runs the server and keeps its people.
    Administrator,
}

impl Role {
    /// The roles by name.
    pub const NAMES: &[(&'static str, Self)] = &[
        ("operator", Self::Operator),
        ("consultant", Self::Consultant),
        ("editor", Self::Editor),
        ("reviewer", Self::Reviewer),
        ("lead", Self::Lead),
        ("administrator", Self::Administrator),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, role)| *role == self).map_or("", |(name, _)| name)
    }

    /// The role of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, role)| *role)
    }

    /// What it permits.
    pub fn permissions(self) -> &'static [Permission] {
        use Permission::{
            Approve, Edit, ManageHooks, ManagePeople, Provision, Read, ReadEverything, SeeAudit, SeeGaps,
            SeeHealth, SeePeople, SeeProblems, TellGaps,
        };
        match self {
            Self::Operator | Self::Consultant => &[Read, TellGaps],
            Self::Editor => &[Read, TellGaps, ReadEverything, Edit, SeeProblems, SeeGaps],
            Self::Reviewer => &[Read, TellGaps, ReadEverything, Edit, Approve, SeeProblems, SeeGaps],
            Self::Lead => &[Read, TellGaps, SeeGaps, SeePeople],
            Self::Administrator => &[
                Read,
                TellGaps,
                ReadEverything,
                Edit,
                Approve,
                SeeProblems,
                SeeGaps,
                SeePeople,
                ManagePeople,
                Provision,
                ManageHooks,
                SeeAudit,
                SeeHealth,
            ],
        }
    }
}

/// All that some roles permit.
pub fn permitted(roles: &[Role]) -> BTreeSet<Permission> {
    roles.iter().flat_map(|role| role.permissions()).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_administrator_may_do_everything() {
        assert_eq!(permitted(&[Role::Administrator]), Permission::all());
        assert!(
            !permitted(&[Role::Operator, Role::Consultant, Role::Lead]).contains(&Permission::ReadEverything)
        );
    }

    #[test]
    fn names_are_as_they_are_written() {
        for (name, permission) in Permission::NAMES {
            assert_eq!(serde_json::to_string(permission).unwrap(), format!("\"{name}\""));
            assert_eq!(Permission::of(name), Some(*permission));
        }
        for (name, role) in Role::NAMES {
            assert_eq!(serde_json::to_string(role).unwrap(), format!("\"{name}\""));
            assert_eq!(Role::of(name), Some(*role));
        }
    }
}
