//! Mappings that are refused.

/// A change that AWS would not accept, or that would be unsafe.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MappingError {
    /// What an authorizer says would stand beside what the client says.
    AppendFromAuthorizer {
        /// The change.
        key: Box<str>,
    },
    /// There is nothing to set.
    EmptyValue {
        /// The change.
        key: Box<str>,
    },
    /// An identity source would be something else to the service than it was to the authorizer.
    IdentitySource {
        /// The change.
        key: Box<str>,
    },
    /// The key is not `append|overwrite|remove:header|querystring.NAME`.
    Key {
        /// The change.
        key: Box<str>,
    },
    /// The path was decided upon, and stays.
    Path {
        /// The change.
        key: Box<str>,
    },
    /// Two changes concern one parameter.
    Repeated {
        /// The second change.
        key: Box<str>,
    },
    /// The header belongs to AWS, to the connection, or to the HTTP library.
    ReservedHeader {
        /// The change.
        key: Box<str>,
    },
    /// The text is not one that a header may hold.
    StaticText {
        /// The change.
        key: Box<str>,
    },
    /// A value names a stage variable that the stage has not.
    UnknownStageVariable {
        /// The change.
        key: Box<str>,
        /// The variable.
        name: Box<str>,
    },
    /// A removal has a value.
    ValueOfRemoval {
        /// The change.
        key: Box<str>,
    },
    /// A value does not name anything that can be mapped.
    Variable {
        /// What was found in the value.
        found: Box<str>,
    },
}

impl std::fmt::Display for MappingError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AppendFromAuthorizer { key } => write!(
                f,
                "`{key}` would put what the authorizer says beside what the client says: use `overwrite`"
            ),
            Self::EmptyValue { key } => write!(f, "`{key}` has an empty value: give one, or use `remove`"),
            Self::IdentitySource { key } => write!(
                f,
                "`{key}` changes an identity source, which is to mean the same to the authorizer and to the service: \
                 use another name"
            ),
            Self::Key { key } => write!(
                f,
                "`{key}` is not the key of a mapping: write `append`, `overwrite` or `remove`, \
                 then `:header.NAME` or `:querystring.NAME`"
            ),
            Self::Path { key } => write!(
                f,
                "`{key}` would serve another path than the one that was allowed: rewrite paths outside of the layer"
            ),
            Self::Repeated { key } => {
                write!(
                    f,
                    "`{key}` concerns a parameter that another change concerns already: keep one of them"
                )
            }
            Self::ReservedHeader { key } => {
                write!(f, "`{key}` names a header that is reserved: use another name")
            }
            Self::StaticText { key } => write!(
                f,
                "the text of `{key}` cannot be its value: \
                 use printable ASCII for headers, without spaces at the ends, and no control characters elsewhere"
            ),
            Self::UnknownStageVariable { key, name } => write!(
                f,
                "`{key}` uses the stage variable `{name}`, which has no value: \
                 set it with `ApiStage::with_stage_variable`"
            ),
            Self::ValueOfRemoval { key } => write!(f, "`{key}` removes and so has no value: leave it empty"),
            Self::Variable { found } => write!(
                f,
                "`{found}` is not a value that can be mapped: write `$context.authorizer.KEY`, `$context.NAME`, \
                 `$request.header.NAME`, `$request.querystring.NAME`, `$request.path`, `$request.path.NAME` or \
                 `$stageVariables.NAME`; beside other text, `${{context.NAME}}` and so on"
            ),
        }
    }
}

impl std::error::Error for MappingError {}
