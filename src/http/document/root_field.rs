//! The default-deny table of root fields, and which of them an operation asks for.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Positioned,
    parser::types::{ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet},
};

/// The kind of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OperationKind {
    /// Reads.
    Query,
    /// Writes.
    Mutation,
    /// Goes on.
    Subscription,
}

impl OperationKind {
    /// The word of the language for it.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Mutation => "mutation",
            Self::Subscription => "subscription",
        }
    }
}

impl From<OperationType> for OperationKind {
    fn from(ty: OperationType) -> Self {
        match ty {
            OperationType::Query => Self::Query,
            OperationType::Mutation => Self::Mutation,
            OperationType::Subscription => Self::Subscription,
        }
    }
}

/// Who may ask for a root field at all. What they then may see is decided behind the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone, a stranger too.
    Public,
    /// Callers with a valid credential.
    Authenticated,
}

/// Every root field that may be asked for; what is not in this table is refused.
#[derive(Debug, Clone, Default)]
pub struct RootFields(HashMap<(OperationKind, String), Access>);

impl RootFields {
    /// A table of these fields.
    pub fn new<'a>(fields: impl IntoIterator<Item = (OperationKind, &'a str, Access)>) -> Self {
        Self(fields.into_iter().map(|(kind, name, access)| ((kind, name.to_owned()), access)).collect())
    }

    /// Who may ask for this field; `None` is nobody.
    #[must_use]
    pub fn find(&self, kind: OperationKind, name: &str) -> Option<Access> {
        self.0.get(&(kind, name.to_owned())).copied()
    }

    /// Every row of the table, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (OperationKind, &str, Access)> {
        self.0.iter().map(|((kind, name), access)| (*kind, name.as_str(), *access))
    }
}

/// The fields at the root of an operation in order, fragments looked into, each fragment once.
pub(super) fn collect<'d>(
    document: &'d ExecutableDocument,
    operation: &'d OperationDefinition,
) -> Vec<&'d Positioned<Field>> {
    let mut found = Vec::new();
    walk(document, &operation.selection_set.node, &mut HashSet::new(), &mut found);
    found
}

fn walk<'d>(
    document: &'d ExecutableDocument,
    set: &'d SelectionSet,
    seen: &mut HashSet<&'d str>,
    found: &mut Vec<&'d Positioned<Field>>,
) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => found.push(field),
            Selection::InlineFragment(inline) => walk(document, &inline.node.selection_set.node, seen, found),
            Selection::FragmentSpread(spread) => {
                let name = spread.node.fragment_name.node.as_str();
                if seen.insert(name)
                    && let Some(fragment) = document.fragments.get(name)
                {
                    walk(document, &fragment.node.selection_set.node, seen, found);
                }
            }
        }
    }
}
