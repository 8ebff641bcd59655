//! Which fields a selection asks of a concrete type, worked out once per selection and type.

use std::{cell::RefCell, rc::Rc};

use async_graphql::{
    Name,
    parser::types::{Selection, SelectionSet, Type},
};

use super::{MARK, Shape};

/// The selection sets that together select from one place of the answer.
pub(super) struct Node<'d> {
    sets: Vec<&'d SelectionSet>,
    plans: RefCell<Vec<Plan<'d>>>,
}

/// The fields that were asked of a concrete type.
type Plan<'d> = (&'d str, Rc<Vec<PlanField<'d>>>);

/// One field of the answer.
pub(super) struct PlanField<'d> {
    pub(super) key: &'d Name,
    /// Its type; `None` for introspection, which cannot fail and is left alone.
    pub(super) ty: Option<&'d Type>,
    /// What is selected below it; `None` for a leaf.
    pub(super) node: Option<Node<'d>>,
}

impl<'d> Node<'d> {
    pub(super) fn new(sets: Vec<&'d SelectionSet>) -> Self {
        Self { sets, plans: RefCell::new(Vec::new()) }
    }

    /// The fields asked of the object type `of`, in the order of section 6.3.2.
    pub(super) fn plan(&self, of: &'d str, shape: &'d Shape) -> Rc<Vec<PlanField<'d>>> {
        if let Some((_, plan)) = self.plans.borrow().iter().find(|(known, _)| *known == of) {
            return Rc::clone(plan);
        }
        let mut collect = Collect { of, shape, fields: Vec::new(), spread: Vec::new() };
        for set in &self.sets {
            collect.set(set);
        }
        let plan = Rc::new(collect.fields);
        self.plans.borrow_mut().push((of, Rc::clone(&plan)));
        plan
    }
}

struct Collect<'d> {
    of: &'d str,
    shape: &'d Shape,
    fields: Vec<PlanField<'d>>,
    spread: Vec<&'d str>,
}

impl<'d> Collect<'d> {
    fn set(&mut self, set: &'d SelectionSet) {
        for selection in &set.items {
            let directives = selection.node.directives().iter().map(|directive| &directive.node);
            if !self.shape.values.includes(directives) {
                continue;
            }
            match &selection.node {
                Selection::Field(field) => self.field(&field.node),
                Selection::InlineFragment(inline) => {
                    let condition =
                        inline.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
                    if condition.is_none_or(|condition| self.shape.schema.applies(condition, self.of)) {
                        self.set(&inline.node.selection_set.node);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    if self.spread.contains(&name) {
                        continue;
                    }
                    self.spread.push(name);
                    if let Some(fragment) = self.shape.document.fragments.get(name)
                        && self.shape.schema.applies(fragment.node.type_condition.node.on.node.as_str(), self.of)
                    {
                        self.set(&fragment.node.selection_set.node);
                    }
                }
            }
        }
    }

    fn field(&mut self, field: &'d async_graphql::parser::types::Field) {
        let key = &field.response_key().node;
        if key == MARK {
            return;
        }
        let children = &field.selection_set.node;
        if let Some(known) = self.fields.iter_mut().find(|known| known.key == key) {
            if let Some(node) = &mut known.node {
                node.sets.push(children);
            }
            return;
        }
        let entry = self.shape.schema.field(self.of, &field.name.node);
        let node = (entry.is_some() && !children.items.is_empty()).then(|| Node::new(vec![children]));
        self.fields.push(PlanField { key, ty: entry.map(|entry| &entry.ty), node });
    }
}
