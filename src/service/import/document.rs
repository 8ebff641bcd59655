//! The organization document: its shape, read strictly.

use super::{
    Mistake,
    json::{Node, Value},
};

/// A word of the document and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) line: usize,
    /// The path to it, such as `teams[3].parent`.
    pub(super) field: String,
}

/// A whole document. What it says may still make no sense: that is `check`'s.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) name: Word,
    pub(super) slug: Word,
    /// The level of every member on every repository.
    pub(super) default_level: Option<Word>,
    /// Where it says that members may create repositories.
    pub(super) creators: Option<Word>,
    pub(super) admins: Vec<Word>,
    pub(super) members: Vec<Word>,
    pub(super) repositories: Vec<Word>,
    pub(super) teams: Vec<Team>,
}

/// A team of the document.
#[derive(Debug)]
pub(super) struct Team {
    pub(super) name: Word,
    pub(super) parent: Option<Word>,
    pub(super) description: Option<Word>,
    pub(super) privacy: Option<Word>,
    pub(super) maintainers: Vec<Word>,
    pub(super) members: Vec<Word>,
    /// Repositories with the level the team has on them.
    pub(super) repositories: Vec<(Word, Word)>,
}

/// Reads the document; what is missing or of another type is added to the mistakes.
pub(super) fn read(root: &Node, mistakes: &mut Vec<Mistake>) -> Option<Document> {
    let known = [
        "organization",
        "slug",
        "default_repository_permission",
        "members_can_create_repositories",
        "admins",
        "members",
        "repositories",
        "teams",
    ];
    let mut fields = Fields::of(root, String::new(), &known, mistakes)?;
    let default_level = fields.optional("default_repository_permission").and_then(|(node, field)| {
        let word = fields.text(node, field)?;
        (word.text != "none").then_some(word)
    });
    let creators = fields.optional("members_can_create_repositories").and_then(|(node, field)| {
        let allowed = fields.truth(node, &field)?;
        allowed.then(|| Word { text: String::new(), line: node.line, field })
    });
    let name = fields.required("organization").and_then(|(node, field)| fields.text(node, field));
    let slug = fields.required("slug").and_then(|(node, field)| fields.text(node, field));
    let admins = fields.required("admins").map(|(node, field)| fields.words(node, &field));
    let members = fields.required("members").map(|(node, field)| fields.words(node, &field));
    let repositories = fields.required("repositories").map(|(node, field)| fields.words(node, &field));
    let teams = fields.required("teams").map(|(node, field)| {
        let items = fields.items(node, &field);
        items.into_iter().filter_map(|(node, field)| team(node, field, fields.mistakes)).collect()
    });
    Some(Document {
        name: name?,
        slug: slug?,
        default_level,
        creators,
        admins: admins?,
        members: members?,
        repositories: repositories?,
        teams: teams?,
    })
}

fn team(node: &Node, path: String, mistakes: &mut Vec<Mistake>) -> Option<Team> {
    let known = ["name", "parent", "description", "privacy", "maintainers", "members", "repos"];
    let mut fields = Fields::of(node, path, &known, mistakes)?;
    let name = fields.required("name").and_then(|(node, field)| fields.text(node, field));
    let mut text = |key| fields.optional(key).and_then(|(node, field)| fields.text(node, field));
    let (parent, description, privacy) = (text("parent"), text("description"), text("privacy"));
    let mut words = |key| fields.optional(key).map(|(node, field)| fields.words(node, &field)).unwrap_or_default();
    let (maintainers, members) = (words("maintainers"), words("members"));
    let repositories = fields.optional("repos").map(|(node, field)| fields.pairs(node, &field)).unwrap_or_default();
    Some(Team { name: name?, parent, description, privacy, maintainers, members, repositories })
}

/// The fields of one object.
struct Fields<'n, 'm> {
    node: &'n Node,
    given: &'n [(String, Node)],
    path: String,
    mistakes: &'m mut Vec<Mistake>,
}

impl<'n, 'm> Fields<'n, 'm> {
    fn of(node: &'n Node, path: String, known: &[&str], mistakes: &'m mut Vec<Mistake>) -> Option<Self> {
        let Value::Object(fields) = &node.value else {
            mistakes.push(expected(node, &path, "an object"));
            return None;
        };
        for (place, (key, value)) in fields.iter().enumerate() {
            let problem = if !known.contains(&key.as_str()) {
                format!("there is no field `{}`; known are {}", shown(key), known.join(", "))
            } else if fields.iter().take(place).any(|(earlier, _)| earlier == key) {
                "this field is given twice".to_owned()
            } else {
                continue;
            };
            mistakes.push(Mistake { line: value.line, field: inside(&path, &shown(key)), problem });
        }
        Some(Self { node, given: fields, path, mistakes })
    }

    /// The field, unless it is left out or null.
    fn optional(&self, key: &str) -> Option<(&'n Node, String)> {
        let (_, node) = self.given.iter().find(|(found, _)| found == key)?;
        (!matches!(node.value, Value::Null)).then(|| (node, inside(&self.path, key)))
    }

    fn required(&mut self, key: &str) -> Option<(&'n Node, String)> {
        let found = self.given.iter().find(|(found, _)| found == key);
        match found {
            Some((_, node)) => Some((node, inside(&self.path, key))),
            None => {
                let problem = "this field is missing".to_owned();
                self.mistakes.push(Mistake { line: self.node.line, field: inside(&self.path, key), problem });
                None
            }
        }
    }

    fn text(&mut self, node: &Node, field: String) -> Option<Word> {
        match &node.value {
            Value::Text(text) => Some(Word { text: text.trim().to_owned(), line: node.line, field }),
            _ => {
                self.mistakes.push(expected(node, &field, "a text"));
                None
            }
        }
    }

    fn truth(&mut self, node: &Node, field: &str) -> Option<bool> {
        match node.value {
            Value::Bool(value) => Some(value),
            _ => {
                self.mistakes.push(expected(node, field, "true or false"));
                None
            }
        }
    }

    fn items(&mut self, node: &'n Node, field: &str) -> Vec<(&'n Node, String)> {
        match &node.value {
            Value::List(nodes) => {
                nodes.iter().enumerate().map(|(place, node)| (node, format!("{field}[{place}]"))).collect()
            }
            _ => {
                self.mistakes.push(expected(node, field, "a list"));
                Vec::new()
            }
        }
    }

    fn words(&mut self, node: &'n Node, field: &str) -> Vec<Word> {
        let items = self.items(node, field);
        items.into_iter().filter_map(|(node, field)| self.text(node, field)).collect()
    }

    fn pairs(&mut self, node: &'n Node, field: &str) -> Vec<(Word, Word)> {
        let Value::Object(fields) = &node.value else {
            self.mistakes.push(expected(node, field, "an object"));
            return Vec::new();
        };
        let pairs = fields.iter().filter_map(|(key, node)| {
            let level = self.text(node, inside(field, &shown(key)))?;
            Some((Word { text: key.clone(), ..level.clone() }, level))
        });
        pairs.collect()
    }
}

fn inside(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn expected(node: &Node, field: &str, what: &str) -> Mistake {
    let problem = format!("this is {}, it has to be {what}", node.value.name());
    Mistake { line: node.line, field: field.to_owned(), problem }
}

/// A word of the document as a message may show it: short, and nothing that moves the cursor.
pub(super) fn shown(text: &str) -> String {
    let clean: String = text.chars().filter(|letter| !letter.is_control()).take(60).collect();
    if clean == text { clean } else { format!("{clean}…") }
}
