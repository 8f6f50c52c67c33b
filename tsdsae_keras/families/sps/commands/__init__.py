"""A saved model used on sound files and videos."""
