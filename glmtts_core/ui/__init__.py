"""The Streamlit side: layout, charts, sidebar. Nothing below knows that it exists."""
