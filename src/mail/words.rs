//! Words of letters in the reader's language, and how they are put together: every kind of letter is made of these.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::letter::{Letter, escape, one_line};

/// A language that letters are written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// English, for everyone whose language is none of the others.
    #[default]
    English,
    /// Italian.
    Italian,
    /// German.
    German,
    /// Korean.
    Korean,
}

impl Language {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::English, Self::Italian, Self::German, Self::Korean];

    /// The language of a BCP 47 tag, by its primary part; English, where there are no words in it.
    #[must_use]
    pub fn of(tag: &str) -> Self {
        Self::find(tag).unwrap_or_default()
    }

    /// The same; `None` where there are no words in it.
    #[must_use]
    pub fn find(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// Its tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Italian => "it",
            Self::German => "de",
            Self::Korean => "ko",
        }
    }

    /// How a moment is written.
    const fn moment(self) -> &'static str {
        match self {
            Self::English => "%Y-%m-%d at %H:%M (%Z)",
            Self::Italian => "%d/%m/%Y alle %H:%M (%Z)",
            Self::German => "%d.%m.%Y um %H:%M Uhr (%Z)",
            Self::Korean => "%Y년 %-m월 %-d일 %H:%M (%Z)",
        }
    }
}

/// How somebody reads: the language, and the timezone that moments are told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reader {
    /// The language.
    pub language: Language,
    /// The timezone.
    pub timezone: Tz,
}

impl Default for Reader {
    fn default() -> Self {
        Self { language: Language::default(), timezone: Tz::UTC }
    }
}

impl Reader {
    /// Of a language by its tag and a timezone by its IANA name; what there are no words in is English, what is not known UTC.
    #[must_use]
    pub fn of(language: &str, timezone: &str) -> Self {
        Self { language: Language::of(language), timezone: timezone.parse().unwrap_or(Tz::UTC) }
    }

    /// This reader with what a person has chosen: a language by its tag, a timezone by its IANA name. What is not chosen stays.
    #[must_use]
    pub fn choosing(self, language: Option<&str>, timezone: Option<&str>) -> Self {
        Self {
            language: language.map_or(self.language, Language::of),
            timezone: timezone.and_then(|name| name.parse().ok()).unwrap_or(self.timezone),
        }
    }

    /// A moment as this reader tells it.
    #[must_use]
    pub fn moment(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.timezone).format(self.language.moment()).to_string()
    }
}

/// A part of a letter's body.
pub(super) enum Part<'a> {
    /// A paragraph.
    Text(&'a str),
    /// Words, and the link that they name.
    Link {
        /// What the link is called, in HTML.
        called: &'a str,
        /// The words before it, as text.
        open: &'a str,
        /// The address.
        link: &'a str,
    },
}

/// What is put into words: the name of a place to fill, and what goes there.
pub(super) struct Names<'a>(pub(super) &'a [(&'static str, &'a str)]);

impl Names<'_> {
    /// Text with its places filled, each on one line. What was put in is not looked at again: no name is taken for a place.
    fn fill(&self, words: &str) -> String {
        let mut filled = String::with_capacity(words.len());
        let mut rest = words;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let place = after.split_once('}').and_then(|(name, behind)| {
                let (_, value) = self.0.iter().find(|(place, _)| *place == name)?;
                Some((*value, behind))
            });
            match place {
                Some((value, behind)) => {
                    filled.push_str(&one_line(value));
                    rest = behind;
                }
                None => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled.push_str(rest);
        filled
    }
}

/// Puts a letter together: as text and as HTML, every name on one line and escaped.
pub(super) fn compose(to: &str, language: Language, names: &Names<'_>, subject: &str, parts: &[Part<'_>]) -> Letter {
    let said = parts.iter().map(|part| match part {
        Part::Text(words) => {
            let words = names.fill(words);
            (format!("<p>{}</p>\n", escape(&words)), words)
        }
        Part::Link { called, open, link } => {
            let (open, shown) = (names.fill(open), escape(link));
            let named = format!("<p><a href=\"{shown}\">{}</a></p>\n", escape(&names.fill(called)));
            (format!("{named}<p>{} {shown}</p>\n", escape(&open)), format!("{open}\n{link}"))
        }
    });
    let (html, text): (Vec<String>, Vec<String>) = said.unzip();
    let tag = language.tag();
    Letter {
        to: to.to_owned(),
        subject: names.fill(subject),
        text: format!("{}\n", text.join("\n\n")),
        html: format!("<!doctype html>\n<html lang=\"{tag}\"><body>\n{}</body></html>\n", html.concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_told_by_its_primary_tag() {
        for (tag, language) in [
            ("it-IT", Language::Italian),
            ("DE", Language::German),
            ("ko_KR", Language::Korean),
            ("en-GB", Language::English),
            ("tlh", Language::English),
            ("", Language::English),
            ("ital", Language::English),
        ] {
            assert_eq!(Language::of(tag), language, "{tag}");
        }
        for language in Language::ALL {
            assert_eq!(Language::find(language.tag()), Some(language));
        }
        assert_eq!((Language::find("tlh"), Language::find("")), (None, None));
    }

    #[test]
    fn what_a_person_chooses_counts_and_the_rest_stays() {
        let usual = Reader::of("it", "Europe/Rome");
        assert_eq!(usual.choosing(None, None), usual);
        assert_eq!(usual.choosing(Some("de"), None), Reader::of("de", "Europe/Rome"));
        assert_eq!(usual.choosing(None, Some("Asia/Seoul")), Reader::of("it", "Asia/Seoul"));
        assert_eq!(usual.choosing(Some("en"), Some("UTC")), Reader::default());
    }

    #[test]
    fn no_name_is_taken_for_a_place_to_fill() {
        let names = Names(&[("a", "{b} {a}\r\nBcc: x"), ("b", "B")]);
        assert_eq!(names.fill("{a}-{b}-{c}-{"), "{b} {a} Bcc: x-B-{c}-{");
    }
}
