use super::*;
use crate::id::Kind;

/// Who may do what to what, in full. Each column is an action, in the order of [`Action::ALL`]: configure, see people, manage people,
/// manage roles, see live, stop live, audit, create; a channel: see, watch, edit, own, members; a stream: see, edit, stop, keys.
///
/// A letter says to what: **S** the server, **C** the channel of the binding (private, at home), **T** another private one of the same
/// organisation, **F** a private one of a foreign organisation, **O** a public one there. `role@scope` holds that one binding;
/// `their own` is a person without any, to whom all of these belong.
const TABLE: &str = "
nobody                  -     -     -     -     -     -     -     -     O     O     -     -     -     -     -     -     -
somebody                -     -     -     -     -     -     -     -     O     O     -     -     -     -     -     -     -
their own               -     -     -     -     -     -     -     -     CTFO  CTFO  CTFO  CTFO  CTFO  CTFO  CTFO  CTFO  CTFO
viewer@server           -     -     -     -     -     -     -     -     O     O     -     -     -     -     -     -     -
creator@server          -     -     -     -     -     -     -     SCTFO O     O     -     -     -     -     -     -     -
moderator@server        -     SCTFO -     -     SCTFO SCTFO -     -     SCTFO SCTFO -     -     -     SCTFO -     SCTFO -
admin@server            SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO -
owner@server            SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO SCTFO -
viewer@organisation     -     -     -     -     -     -     -     -     O     O     -     -     -     -     -     -     -
creator@organisation    -     -     -     -     -     -     -     CT    O     O     -     -     -     -     -     -     -
moderator@organisation  -     -     -     -     -     -     -     -     CTO   CTO   -     -     -     CT    -     CT    -
admin@organisation      -     -     -     -     -     -     -     CT    CTO   CTO   CT    CT    CT    CT    CT    CT    -
owner@organisation      -     -     -     -     -     -     -     CT    CTO   CTO   CT    CT    CT    CT    CT    CT    -
viewer@channel          -     -     -     -     -     -     -     -     CO    CO    -     -     -     -     -     -     -
creator@channel         -     -     -     -     -     -     -     -     CO    CO    -     -     -     -     -     -     -
moderator@channel       -     -     -     -     -     -     -     -     CO    CO    -     -     -     C     -     C     -
admin@channel           -     -     -     -     -     -     -     -     CO    CO    C     -     C     C     C     C     C
owner@channel           -     -     -     -     -     -     -     -     CO    CO    C     C     C     C     C     C     C
";

struct Places {
    home: Id,
    foreign: Id,
    ours: Id,
    others: Id,
}

#[test]
fn nobody_may_more_or_less_than_the_table_says() {
    let places = Places {
        home: Kind::Organisation.random(),
        foreign: Kind::Organisation.random(),
        ours: Kind::Channel.random(),
        others: Kind::Channel.random(),
    };
    let rows: Vec<&str> = TABLE.trim().lines().collect();
    assert_eq!(rows.len(), 3 + Role::ALL.len() * Scope::ALL.len());
    for (row, (name, bindings)) in rows.into_iter().zip(subjects(&places)) {
        let mut written = format!("{name:<24}");
        for action in Action::ALL {
            written += &format!("{:<6}", allowed(&places, &name, &bindings, action));
        }
        assert_eq!(written.trim_end(), row);
    }
}

fn subjects(places: &Places) -> Vec<(String, Vec<Binding>)> {
    let mut subjects: Vec<_> = ["nobody", "somebody", "their own"]
        .map(|name| (name.to_owned(), Vec::new()))
        .into();
    for scope in Scope::ALL {
        let (name, place) = match scope {
            Scope::Server => ("server", SERVER),
            Scope::Organisation => ("organisation", places.home.as_str()),
            Scope::Channel => ("channel", places.ours.as_str()),
        };
        for role in Role::ALL {
            let binding = Binding {
                role,
                scope,
                scope_id: place.to_owned(),
            };
            let role = format!("{role:?}").to_lowercase();
            subjects.push((format!("{role}@{name}"), vec![binding]));
        }
    }
    subjects
}

fn allowed(places: &Places, name: &str, roles: &[Binding], action: Action) -> String {
    let (user, other) = (Kind::User.random(), Kind::User.random());
    let owner = if name == "their own" { &user } else { &other };
    let owned = |organisation, channel, open| Resource::Owned {
        owner,
        organisation,
        channel: Some(channel),
        open,
    };
    let subject = Subject {
        user: (name != "nobody").then_some(&user),
        roles,
    };
    let resources = [
        ('S', Resource::Server),
        ('C', owned(&places.home, &places.ours, false)),
        ('T', owned(&places.home, &places.others, false)),
        ('F', owned(&places.foreign, &places.others, false)),
        ('O', owned(&places.foreign, &places.others, true)),
    ];
    let letters: String = resources
        .into_iter()
        .filter(|(_, resource)| authorize(subject, action, *resource))
        .map(|(letter, _)| letter)
        .collect();
    if letters.is_empty() { "-".into() } else { letters }
}

/// A stream outside of any channel: only a binding of the server or its organisation reaches it, and its owner.
#[test]
fn a_binding_of_a_channel_says_nothing_about_a_stream_without_one() {
    let (user, owner, home) = (Kind::User.random(), Kind::User.random(), Kind::Organisation.random());
    let alone = Resource::Owned {
        owner: &owner,
        organisation: &home,
        channel: None,
        open: false,
    };
    let binding = Binding {
        role: Role::Owner,
        scope: Scope::Channel,
        scope_id: Kind::Channel.random().to_string(),
    };
    let subject = Subject {
        user: Some(&user),
        roles: &[binding],
    };
    for action in Action::ALL {
        assert!(!authorize(subject, action, alone), "{action:?}");
    }
}
