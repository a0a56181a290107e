//! The data plane: from accept to answer, one file a step.
