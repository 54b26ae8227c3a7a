//! Go text/template, fmt verbs and sprig.
