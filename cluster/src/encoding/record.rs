//! Two declarations from which both directions follow: a record's fields, and a choice's variants.
//! A field or variant that is not declared does not compile.

/// Declares the message of a struct. `bare` is a scalar, `msg` a message that must be there,
/// `opt` either of them that may be absent, `many` a list, `map` a map as a list of pairs.
macro_rules! record {
    ($type:ty => $pb:path { $($field:ident: $mode:ident),* $(,)? }) => {
        impl Encoded for $type {
            type Pb = $pb;
            fn to_pb(&self) -> $pb {
                let Self { $($field),* } = self;
                $(let $field = record!(@to $mode $field);)*
                $pb { $($field),* }
            }
            fn from_pb(pb: $pb) -> Result<Self, EncodingError> {
                let $pb { $($field),* } = pb;
                Ok(Self { $($field: record!(@from $mode $field)),* })
            }
        }
    };
    (@to bare $field:ident) => { Encoded::to_pb($field) };
    (@to msg $field:ident) => { Some(Encoded::to_pb($field)) };
    (@to opt $field:ident) => { $field.as_ref().map(Encoded::to_pb) };
    (@to many $field:ident) => { $field.iter().map(Encoded::to_pb).collect() };
    (@to map $field:ident) => {
        $field.iter().map(|(key, value)| Encoded::to_pb(&(*key, *value))).collect()
    };
    (@from bare $field:ident) => { Encoded::from_pb($field)? };
    (@from msg $field:ident) => {
        Encoded::from_pb($field.ok_or(EncodingError::Missing(stringify!($field)))?)?
    };
    (@from opt $field:ident) => { $field.map(Encoded::from_pb).transpose()? };
    (@from map $field:ident) => { crate::encoding::value::pairs($field)? };
    (@from many $field:ident) => {
        $field.into_iter().map(Encoded::from_pb).collect::<Result<_, _>>()?
    };
}

/// Declares the message of an enum: a `oneof` named `kind`, each variant a message of its own with
/// the variant's fields.
macro_rules! choice {
    ($type:ident => $pb:path, $kind:path {
        $($variant:ident ($($vpb:ident)::+) { $($field:ident: $mode:ident),* $(,)? }),* $(,)?
    }) => {
        impl Encoded for $type {
            type Pb = $pb;
            fn to_pb(&self) -> $pb {
                use $kind as Kind;
                let kind = match self {
                    $($type::$variant { $($field),* } => {
                        $(let $field = record!(@to $mode $field);)*
                        Kind::$variant($($vpb)::+ { $($field),* })
                    })*
                };
                $pb { kind: Some(kind) }
            }
            fn from_pb(pb: $pb) -> Result<Self, EncodingError> {
                use $kind as Kind;
                Ok(match pb.kind.ok_or(EncodingError::Missing(stringify!($type)))? {
                    $(Kind::$variant(inner) => {
                        let $($vpb)::+ { $($field),* } = inner;
                        $type::$variant { $($field: record!(@from $mode $field)),* }
                    })*
                })
            }
        }
    };
}

pub(super) use {choice, record};
