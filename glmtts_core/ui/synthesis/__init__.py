"""The synthesis page: reference, form, running job, result, history."""
