//! Whether a document makes sense, by itself and by the blueprint; and what it then asks for.

use std::collections::HashMap;

use super::{
    Mistake,
    document::{Document, Team, Word, shown},
};
use crate::{
    access::{
        Blueprint,
        blueprint::document::{ImportRules, TeamPrivacy},
    },
    service::input,
};

/// What an organization is to be.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) slug: String,
    /// The level of every member on every repository.
    pub(super) default_level: Option<String>,
    /// Whether every member may create repositories.
    pub(super) creators: bool,
    pub(super) people: Vec<WantedPerson>,
    pub(super) repositories: Vec<WantedApp>,
    /// Those above before those below.
    pub(super) teams: Vec<WantedTeam>,
}

/// A person with the one main role.
#[derive(Debug)]
pub(super) struct WantedPerson {
    pub(super) handle: String,
    pub(super) role: String,
    pub(super) line: usize,
}

/// A repository.
#[derive(Debug)]
pub(super) struct WantedApp {
    pub(super) name: String,
    pub(super) slug: String,
    pub(super) line: usize,
}

/// A team; people, repositories and the parent are named by their slugs and handles.
#[derive(Debug)]
pub(super) struct WantedTeam {
    pub(super) name: String,
    pub(super) slug: String,
    pub(super) description: String,
    pub(super) parent: Option<String>,
    pub(super) privacy: TeamPrivacy,
    /// Handles, and whether they maintain the team.
    pub(super) members: Vec<(String, bool)>,
    /// Slugs of repositories, and the level on them.
    pub(super) repositories: Vec<(String, String)>,
}

/// Checks the document. With any mistake, what is returned is incomplete and not to be used.
pub(super) fn check(
    document: &Document,
    blueprint: &Blueprint,
    rules: &ImportRules,
    mistakes: &mut Vec<Mistake>,
) -> Wanted {
    let mut check = Check { blueprint, rules, mistakes, people: HashMap::new(), repositories: HashMap::new() };
    let name = check.word(&document.name, |text| input::name("", text).map(|_| ()));
    let slug = check.word(&document.slug, |text| input::slug("", text).map(|_| ()));
    check.settings(document);
    let people = check.people(document);
    let repositories = check.repositories(document);
    let teams = check.teams(&document.teams);
    Wanted {
        name,
        slug,
        default_level: document.default_level.as_ref().map(|word| word.text.clone()),
        creators: document.creators.is_some(),
        people,
        repositories,
        teams,
    }
}

struct Check<'c> {
    blueprint: &'c Blueprint,
    rules: &'c ImportRules,
    mistakes: &'c mut Vec<Mistake>,
    /// Handles, and where they were given.
    people: HashMap<String, usize>,
    /// Names of repositories with slug and place.
    repositories: HashMap<String, (String, usize)>,
}

impl Check<'_> {
    fn report(&mut self, word: &Word, problem: impl Into<String>) {
        self.mistakes.push(Mistake { line: word.line, field: word.field.clone(), problem: problem.into() });
    }

    /// A word that passes the same check as in a form.
    fn word(&mut self, word: &Word, passes: impl FnOnce(&str) -> Result<(), crate::service::UserError>) -> String {
        if let Err(mistake) = passes(&word.text) {
            self.report(word, mistake.message);
        }
        word.text.clone()
    }

    fn settings(&mut self, document: &Document) {
        if let Some(level) = &document.default_level {
            let everyone = self.blueprint.document().everyone.access.iter();
            let levels: Vec<&str> = everyone
                .filter(|access| access.app_kind == self.rules.app_kind && access.feature == self.rules.feature)
                .flat_map(|access| access.levels.iter().map(String::as_str))
                .collect();
            if !levels.contains(&level.text.as_str()) {
                let levels = levels.into_iter().chain(["none"]).collect::<Vec<_>>().join(", ");
                self.report(level, format!("there is no default level `{}`; known are {levels}", shown(&level.text)));
            }
        }
        if let Some(word) = &document.creators
            && self.rules.creators.is_none()
        {
            let name = self.blueprint.name();
            self.report(word, format!("the blueprint `{name}` has no role for members who create repositories"));
        }
    }

    fn people(&mut self, document: &Document) -> Vec<WantedPerson> {
        let (admins, members) = (&document.admins, &document.members);
        let roles = [(admins, self.rules.admins.clone()), (members, self.rules.members.clone())];
        let mut people = Vec::with_capacity(admins.len().saturating_add(members.len()));
        for (words, role) in roles {
            for word in words {
                self.handle(word);
                if let Some(line) = self.people.insert(word.text.clone(), word.line) {
                    self.report(word, format!("`{}` is given twice, first on line {line}", shown(&word.text)));
                }
                people.push(WantedPerson { handle: word.text.clone(), role: role.clone(), line: word.line });
            }
        }
        for (field, words, role) in [("admins", admins, &self.rules.admins), ("members", members, &self.rules.members)]
        {
            let Some(rules) = self.blueprint.document().roles.get(role) else { continue };
            let holders = u32::try_from(words.len()).unwrap_or(u32::MAX);
            let line = words.first().map_or(1, |word| word.line);
            let mut report = |problem| self.mistakes.push(Mistake { line, field: field.to_owned(), problem });
            if holders < rules.min_holders {
                report(format!("the role {} needs at least {} holders", rules.label, rules.min_holders));
            } else if let Some(most) = rules.max_holders.filter(|most| holders > *most) {
                report(format!("the role {} has at most {most} holders", rules.label));
            }
        }
        people
    }

    fn handle(&mut self, word: &Word) {
        if word.text.chars().any(char::is_whitespace) {
            self.report(word, "a person's name here is one word");
        } else {
            self.word(word, |text| input::name("", text).map(|_| ()));
        }
    }

    fn repositories(&mut self, document: &Document) -> Vec<WantedApp> {
        let mut slugs: HashMap<String, usize> = HashMap::new();
        let mut apps = Vec::with_capacity(document.repositories.len());
        for word in &document.repositories {
            let slug = self.slug(word);
            if let Some(line) = slugs.insert(slug.clone(), word.line) {
                self.report(word, format!("`{}` is given twice, first on line {line}", shown(&word.text)));
            }
            self.repositories.insert(word.text.clone(), (slug.clone(), word.line));
            apps.push(WantedApp { name: word.text.clone(), slug, line: word.line });
        }
        apps
    }

    /// The address of something that has a name only: the name in small letters, `-` for what an address cannot have.
    fn slug(&mut self, word: &Word) -> String {
        let text = self.word(word, |text| input::name("", text).map(|_| ()));
        text.chars()
            .map(|letter| letter.to_ascii_lowercase())
            .map(|letter| if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_') { letter } else { '-' })
            .collect()
    }

    fn teams(&mut self, teams: &[Team]) -> Vec<WantedTeam> {
        let allowed = &self.blueprint.document().teams;
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut slugs: HashMap<String, usize> = HashMap::new();
        let mut wanted = Vec::with_capacity(teams.len());
        if let Some(team) = teams.first()
            && !allowed.enabled
        {
            self.report(&team.name, "organizations of this blueprint have no teams");
        }
        for (place, team) in teams.iter().enumerate() {
            let slug = self.slug(&team.name);
            if let Some(line) = slugs.insert(slug.clone(), team.name.line) {
                self.report(&team.name, format!("`{}` is given twice, first on line {line}", shown(&team.name.text)));
            }
            places.insert(&team.name.text, place);
            wanted.push(self.team(team, slug));
        }
        for (place, team) in teams.iter().enumerate() {
            let Some(parent) = &team.parent else { continue };
            if !allowed.nested {
                self.report(parent, "teams of this blueprint do not nest");
            }
            let Some(above) = places.get(parent.text.as_str()) else {
                self.report(parent, format!("there is no team `{}`", shown(&parent.text)));
                continue;
            };
            let slug = wanted.get(*above).map(|team| team.slug.clone());
            if let Some(team) = wanted.get_mut(place) {
                team.parent = slug;
            }
            if let Some(circle) = circle(teams, &places, place) {
                self.report(parent, format!("this closes a circle: {circle}"));
            }
        }
        // Every team after the one it stands under.
        let mut depths: Vec<(usize, WantedTeam)> = Vec::with_capacity(wanted.len());
        for (place, team) in wanted.into_iter().enumerate() {
            depths.push((above(teams, &places, place).count(), team));
        }
        depths.sort_by_key(|(depth, _)| *depth);
        depths.into_iter().map(|(_, team)| team).collect()
    }

    fn team(&mut self, team: &Team, slug: String) -> WantedTeam {
        let allowed = &self.blueprint.document().teams;
        let privacy = self.privacy(team);
        if let Some(word) = &team.description {
            self.word(word, |text| input::text("", text).map(|_| ()));
        }
        if let Some(word) = team.maintainers.first()
            && !allowed.maintainers
        {
            self.report(word, "teams of this blueprint have no maintainers");
        }
        let mut members: HashMap<&str, usize> = HashMap::new();
        let both = [(&team.maintainers, true), (&team.members, false)];
        let mut wanted = Vec::with_capacity(team.members.len());
        for (word, maintainer) in both.into_iter().flat_map(|(words, role)| words.iter().map(move |word| (word, role)))
        {
            if !self.people.contains_key(&word.text) {
                self.report(word, format!("`{}` is neither among `admins` nor among `members`", shown(&word.text)));
            } else if let Some(line) = members.insert(&word.text, word.line) {
                let name = shown(&word.text);
                self.report(word, format!("`{name}` is in this team twice, first on line {line}"));
            }
            wanted.push((word.text.clone(), maintainer));
        }
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let mut repositories = Vec::with_capacity(team.repositories.len());
        for (repository, level) in &team.repositories {
            if !self.blueprint.can_give(&self.rules.app_kind, &self.rules.feature, Some(&level.text)) {
                let levels = self.levels();
                self.report(level, format!("there is no level `{}`; known are {levels}", shown(&level.text)));
            }
            if let Some(line) = seen.insert(&repository.text, repository.line) {
                self.report(repository, format!("this repository is given twice, first on line {line}"));
            }
            match self.repositories.get(&repository.text) {
                Some((slug, _)) => repositories.push((slug.clone(), level.text.clone())),
                None => self.report(repository, format!("there is no repository `{}`", shown(&repository.text))),
            }
        }
        WantedTeam {
            name: team.name.text.clone(),
            slug,
            description: team.description.as_ref().map(|word| word.text.clone()).unwrap_or_default(),
            parent: None,
            privacy,
            members: wanted,
            repositories,
        }
    }

    fn privacy(&mut self, team: &Team) -> TeamPrivacy {
        let known = &self.blueprint.document().teams.privacies;
        let known = if known.is_empty() { &[TeamPrivacy::Closed][..] } else { known };
        let default = known.first().copied().unwrap_or(TeamPrivacy::Closed);
        let Some(word) = &team.privacy else { return default };
        let key = crate::access::rights::privacy_kind;
        if let Some(found) = known.iter().find(|privacy| key(**privacy) == word.text) {
            return *found;
        }
        let known = known.iter().map(|privacy| key(*privacy)).collect::<Vec<_>>().join(", ");
        self.report(word, format!("there is no privacy `{}`; known are {known}", shown(&word.text)));
        default
    }

    fn levels(&self) -> String {
        let kind = self.blueprint.document().app_kinds.get(&self.rules.app_kind);
        let feature = kind.and_then(|kind| kind.features.get(&self.rules.feature));
        let levels = feature.map(|feature| feature.levels.iter().map(|level| level.key.as_str()).collect::<Vec<_>>());
        levels.unwrap_or_default().join(", ")
    }
}

/// The teams above a team, the nearest first; at most as many as there are, so that a circle ends.
fn above<'t>(
    teams: &'t [Team],
    places: &'t HashMap<&str, usize>,
    place: usize,
) -> impl Iterator<Item = usize> + use<'t> {
    let parent = move |place: &usize| places.get(teams.get(*place)?.parent.as_ref()?.text.as_str()).copied();
    std::iter::successors(parent(&place), parent).take(teams.len())
}

/// The circle that a team is in, named from it on.
fn circle(teams: &[Team], places: &HashMap<&str, usize>, place: usize) -> Option<String> {
    let mut names = vec![shown(&teams.get(place)?.name.text)];
    for next in above(teams, places, place) {
        names.push(shown(&teams.get(next)?.name.text));
        if next == place {
            return Some(names.join(" < "));
        }
    }
    None
}
