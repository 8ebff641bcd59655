//! How large a document is once its fragments are spread, counted without spreading them.
//!
//! Every fragment is measured once and remembered, every sum saturates, so the work is linear in the text: a bomb of 30
//! doubling fragments takes as many steps as it has selections written down.

use std::collections::HashMap;

use async_graphql::{
    Positioned,
    parser::types::{ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet},
};

use super::{GateRefusal, code, directive, literal, variable::Values};
use crate::{
    ablate,
    config::DocumentLimits,
    http::{
        schema_map::{SchemaMap, named},
        shape::MARK,
    },
};

/// Rows that one introspection of the schema is charged: it visits everything.
const INTROSPECTION_ROWS: u64 = 500;
/// Nested lists below `__schema` and `__type`, as graphql-js limits them: the tools' own query needs one.
const INTROSPECTION_LISTS: u32 = 2;
/// Nested selection sets, inline fragments included; upstream refuses the next one in a less readable way.
const NESTING: u32 = 30;

/// What is measured, and by what.
pub(super) struct Subject<'d> {
    pub(super) document: &'d ExecutableDocument,
    pub(super) operation: &'d Positioned<OperationDefinition>,
    pub(super) values: &'d Values,
    pub(super) schema: &'d SchemaMap,
    pub(super) limits: &'d DocumentLimits,
}

/// The measures of a selection set with its fragments spread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) selections: u64,
    pub(super) aliases: u64,
    pub(super) directives: u64,
    pub(super) rows: u64,
    pub(super) depth: u32,
    pub(super) introspection_depth: u32,
    pub(super) introspection_lists: u32,
    pub(super) nesting: u32,
    /// Selections that were looked at, which is the work that was done.
    pub(super) steps: u64,
}

impl Size {
    /// Puts another set beside this one.
    fn beside(&mut self, other: Self) {
        self.selections = self.selections.saturating_add(other.selections);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.rows = self.rows.saturating_add(other.rows);
        self.depth = self.depth.max(other.depth);
        self.introspection_depth = self.introspection_depth.max(other.introspection_depth);
        self.introspection_lists = self.introspection_lists.max(other.introspection_lists);
        self.nesting = self.nesting.max(other.nesting);
    }
}

enum Memo {
    Open,
    Done(Size),
}

struct Walk<'d> {
    subject: &'d Subject<'d>,
    fragments: HashMap<&'d str, Memo>,
    steps: u64,
    /// Selection sets open around this one: bounds the recursion.
    level: u32,
}

/// Measures the chosen operation and refuses what is too large; every fragment and operation is looked at.
pub(super) fn measure(subject: &Subject<'_>) -> Result<Size, GateRefusal> {
    let mut walk = Walk { subject, fragments: HashMap::new(), steps: 0, level: 0 };
    let mut fragments: Vec<_> = subject.document.fragments.iter().collect();
    fragments.sort_by_key(|(_, fragment)| fragment.pos);
    for (name, _) in fragments {
        walk.fragment(name.as_str())?;
    }
    let mut size = Size::default();
    for (_, operation) in subject.document.operations.iter() {
        let root = subject.schema.root(operation.node.ty).map(async_graphql::Name::as_str);
        let this = walk.set(&operation.node.selection_set.node, root)?;
        if !ablate::off("document_size") {
            enforce(&this, subject.limits)?;
        }
        if std::ptr::eq(operation, subject.operation) || operation.pos == subject.operation.pos {
            size = this;
        }
    }
    size.steps = walk.steps;
    Ok(size)
}

impl<'d> Walk<'d> {
    fn set(&mut self, set: &'d SelectionSet, parent: Option<&'d str>) -> Result<Size, GateRefusal> {
        let mut size = Size::default();
        self.level += 1;
        if self.level > NESTING {
            return Err(too_deep(self.subject.limits));
        }
        for selection in &set.items {
            self.steps = self.steps.saturating_add(1);
            let directives = directive::check(selection.node.directives())?;
            let mut one = match &selection.node {
                Selection::Field(field) => self.field(field, parent)?,
                Selection::InlineFragment(inline) => {
                    let condition =
                        inline.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
                    self.set(&inline.node.selection_set.node, condition.or(parent))?
                }
                Selection::FragmentSpread(spread) => self.fragment(spread.node.fragment_name.node.as_str())?,
            };
            one.directives = one.directives.saturating_add(directives);
            size.beside(one);
        }
        if !set.items.is_empty() {
            size.nesting = size.nesting.saturating_add(1);
        }
        self.level -= 1;
        Ok(size)
    }

    fn fragment(&mut self, name: &'d str) -> Result<Size, GateRefusal> {
        let Some(fragment) = self.subject.document.fragments.get(name) else {
            return Err(GateRefusal::invalid(format!("unknown fragment `{name}`"), None));
        };
        match self.fragments.get(name) {
            Some(Memo::Done(size)) => Ok(*size),
            Some(Memo::Open) => {
                Err(GateRefusal::invalid(format!("fragment `{name}` spreads itself"), Some(fragment.pos)))
            }
            None => {
                self.fragments.insert(name, Memo::Open);
                let on = fragment.node.type_condition.node.on.node.as_str();
                let size = self.set(&fragment.node.selection_set.node, Some(on))?;
                self.fragments.insert(name, Memo::Done(size));
                Ok(size)
            }
        }
    }

    fn field(&mut self, field: &'d Positioned<Field>, parent: Option<&'d str>) -> Result<Size, GateRefusal> {
        let subject = self.subject;
        let name = field.node.name.node.as_str();
        let children = &field.node.selection_set.node;
        if name == "__typename" && !(children.items.is_empty() && field.node.arguments.is_empty()) {
            let message = "`__typename` takes neither arguments nor a selection";
            return Err(GateRefusal::invalid(message, Some(field.pos)));
        }
        if field.node.alias.as_ref().is_some_and(|alias| alias.node == MARK) {
            return Err(GateRefusal::invalid(format!("the alias `{MARK}` is reserved"), Some(field.pos)));
        }
        let entry = parent.and_then(|parent| subject.schema.field(parent, name));
        if let Some(entry) = entry {
            literal::check_arguments(&field.node, entry, subject.schema)?;
        }
        let inside = self.set(children, entry.map(|entry| named(&entry.ty).as_str()))?;

        let mut size = inside;
        size.selections = size.selections.saturating_add(1);
        size.aliases = size.aliases.saturating_add(u64::from(field.node.alias.is_some()));
        if matches!(name, "__schema" | "__type") {
            size.introspection_depth = inside.depth.saturating_add(1);
            size.depth = 1;
            size.rows = size.rows.saturating_add(INTROSPECTION_ROWS);
        } else {
            size.depth = size.depth.saturating_add(1);
        }
        if entry.is_none() && matches!(name, "fields" | "interfaces" | "possibleTypes" | "inputFields") {
            size.introspection_lists = size.introspection_lists.saturating_add(1);
        }
        let connection = entry.is_some_and(|entry| named(&entry.ty).ends_with("Connection"));
        if let Some(page) = subject.values.page(&field.node, connection.then_some(subject.limits.page)) {
            size.rows = page.saturating_mul(size.rows.saturating_add(1));
        }
        Ok(size)
    }
}

fn enforce(size: &Size, limits: &DocumentLimits) -> Result<(), GateRefusal> {
    let large = [
        ("fields", size.selections, limits.selections),
        ("aliases", size.aliases, limits.aliases),
        ("directives", size.directives, limits.directives),
    ];
    for (what, count, limit) in large {
        if count > limit {
            let message = format!("the document has more than {limit} {what}, fragments spread");
            return Err(GateRefusal::too_large(message));
        }
    }
    let deep = size.depth > limits.depth
        || size.introspection_depth > limits.introspection_depth
        || size.introspection_lists > INTROSPECTION_LISTS
        || size.nesting > NESTING;
    if deep {
        return Err(too_deep(limits));
    }
    if size.rows > limits.cost {
        let message = format!(
            "the document may ask for {} rows, more than {}: ask for smaller pages, or for fewer inside each other",
            size.rows, limits.cost
        );
        return Err(GateRefusal::bad(code::TOO_COSTLY, message, None));
    }
    Ok(())
}

fn too_deep(limits: &DocumentLimits) -> GateRefusal {
    let message = format!("the document is nested too deep: more than {} levels of fields", limits.depth);
    GateRefusal::bad(code::TOO_DEEP, message, None)
}
