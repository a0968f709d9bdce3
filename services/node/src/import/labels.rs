//! What the Connecticut files call groups of students, and the codes they get here. The two data sets and their years
//! use different names for the same group.

/// A dimension: its code, what headers call it, and its groups: code, name, and what files call it.
pub(super) struct Labels {
    pub(super) dimension: &'static str,
    pub(super) headers: &'static [&'static str],
    pub(super) groups: &'static [(&'static str, &'static str, &'static [&'static str])],
}

pub(super) static DIMENSIONS: &[Labels] = &[
    Labels {
        dimension: "race",
        headers: &["Race/Ethnicity", "Race"],
        groups: &[
            (
                "american-indian",
                "American Indian or Alaska Native",
                &["American Indian or Alaska Native", "American Indian", "Indian or Alaska Native"],
            ),
            ("asian", "Asian", &["Asian"]),
            (
                "black",
                "Black or African American",
                &["Black", "Black or African American", "Black, not of Hispanic Origin"],
            ),
            (
                "hispanic",
                "Hispanic/Latino of any race",
                &["Hispanic", "Hispanic/Latino", "Hispanic/Latino of any race"],
            ),
            (
                "pacific-islander",
                "Native Hawaiian or Other Pacific Islander",
                &["Hawaiian or Pacific Islander", "Native Hawaiian or Other Pacific Islander"],
            ),
            ("two-or-more", "Two or more races", &["Two or More Races"]),
            ("white", "White", &["White", "White, not of Hispanic Origin"]),
            ("not-reported", "Not reported", &["Not Reported"]),
        ],
    },
    Labels {
        dimension: "gender",
        headers: &["Gender"],
        groups: &[("female", "Female", &["Female"]), ("male", "Male", &["Male"])],
    },
    Labels {
        dimension: "lunch",
        headers: &["Free/Reduced Price Meal Eligibility", "Free/Reduced Lunch Eligibility"],
        groups: &[
            ("free", "Eligible for free lunch", &["Free", "Eligible For Free Lunch"]),
            ("reduced", "Eligible for reduced-price lunch", &["Reduced", "Eligible For Reduced Lunch"]),
            ("not-eligible", "Not eligible", &["Non-Subsidized", "Not Eligible For Lunch"]),
        ],
    },
    Labels {
        dimension: "english-learner",
        headers: &["English Learner Status"],
        groups: &[("yes", "Yes", &["Yes", "ELL"]), ("no", "No", &["No", "Non-ELL"])],
    },
    Labels {
        dimension: "special-education",
        headers: &["Special Education Status"],
        groups: &[("yes", "Yes", &["Yes", "Special Education"]), ("no", "No", &["No", "Non-Special Education"])],
    },
    Labels {
        dimension: "high-needs",
        headers: &["High Needs Status"],
        groups: &[("yes", "Yes", &["High Needs"]), ("no", "No", &["Non-High Needs"])],
    },
    Labels {
        dimension: "grade",
        headers: &["Grade"],
        groups: &[
            ("pre-kindergarten", "Pre-kindergarten", &["Pre-Kindergarten"]),
            ("kindergarten", "Kindergarten", &["Kindergarten"]),
            ("1", "Grade 1", &["Grade 1"]),
            ("2", "Grade 2", &["Grade 2"]),
            ("3", "Grade 3", &["Grade 3"]),
            ("4", "Grade 4", &["Grade 4"]),
            ("5", "Grade 5", &["Grade 5"]),
            ("6", "Grade 6", &["Grade 6"]),
            ("7", "Grade 7", &["Grade 7"]),
            ("8", "Grade 8", &["Grade 8"]),
            ("9", "Grade 9", &["Grade 9"]),
            ("10", "Grade 10", &["Grade 10"]),
            ("11", "Grade 11", &["Grade 11"]),
            ("12", "Grade 12", &["Grade 12"]),
        ],
    },
];

/// The dimension that a header names, whatever its case.
pub(super) fn dimension(header: &str) -> Option<&'static Labels> {
    DIMENSIONS.iter().find(|labels| labels.headers.iter().any(|known| known.eq_ignore_ascii_case(header)))
}

impl Labels {
    /// The code of a group.
    pub(super) fn code(&self, label: &str) -> Option<&'static str> {
        let (code, ..) = self.groups.iter().find(|(.., labels)| labels.contains(&label))?;
        Some(code)
    }

    /// What its groups may be called, for a person.
    pub(super) fn known(&self) -> String {
        self.groups.iter().filter_map(|(.., labels)| labels.first().copied()).collect::<Vec<_>>().join(", ")
    }
}
